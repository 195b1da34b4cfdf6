// Asio's TLS part compiled once for the whole tree.
#include <boost/asio/ssl/impl/src.hpp>
