#include "providers/support/offload.hpp"

namespace tutti {

Offload::Offload(std::size_t threads) : pool_(threads) {}

Offload::~Offload() {
  stop();
}

void Offload::stop() {
  pool_.join();
}

}  // namespace tutti
