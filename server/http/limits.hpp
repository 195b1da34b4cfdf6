// What a client may ask of the HTTP layer, and for how long it may take: every refusal names one of
// these. Values are those of production; tests pass smaller ones. Used by the session and the
// server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tutti::http {

struct Limits {
  std::size_t header_bytes = 16 * 1024;  // request line and header section together
  std::size_t target_bytes = 8 * 1024;
  std::size_t header_fields = 64;
  std::size_t read_buffer_bytes = 64 * 1024;  // also bounds what a client may pipeline ahead
  std::uint64_t requests_per_connection = 100'000;
  std::size_t connections = 2048;
  std::size_t connections_per_peer = 1024;  // a front proxy is one peer
  // Connections beyond those limits that are still told 503; further ones are closed at once.
  std::size_t refused_connections = 64;
  // Sum of the bodies that are being received; more gets 503, so that memory stays bounded.
  std::uint64_t body_bytes_in_flight = 128ULL * 1024 * 1024;
  // After a refusal the rest of the body is read and thrown away, so that the client sees the
  // answer instead of a reset connection; up to this many bytes.
  std::uint64_t discarded_bytes = 32ULL * 1024 * 1024;
};

// Each is one absolute limit of its phase: sending a byte now and then does not extend it.
struct Deadlines {
  std::chrono::milliseconds idle{60'000};  // between requests
  std::chrono::milliseconds header{10'000};
  std::chrono::milliseconds body{30'000};  // and one second for each `body_bytes_per_second`
  std::uint64_t body_bytes_per_second = 256 * 1024;
  std::chrono::milliseconds write{30'000};
  std::chrono::milliseconds discard{5'000};
  std::chrono::milliseconds drain{20'000};  // of a graceful stop
  std::chrono::milliseconds tick{250};      // how finely all of them are measured
};

}  // namespace tutti::http
