// What the FTP helper reads: PORT and EPRT from the client, the answers 227 (PASV) and 229 (EPSV)
// from the server. It reads one segment at a time and only its beginning, which must be the
// beginning of a line. Source: nf_conntrack_ftp.c; RFC 959, RFC 2428.
// Covered by tests/unit/engine_helper_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "flow/conntrack_tcp.hpp"
#include "net/address.hpp"
#include "scenario/bytes.hpp"

namespace postern {

enum class FtpCommand : std::uint8_t { kPort, kEprt, kPasv, kEpsv };

// Where the data connection is to go.
struct FtpAnnouncement {
  FtpCommand command = FtpCommand::kPort;
  Address address;  // EPSV names none: the speaker's
  std::uint16_t port = 0;
  std::size_t offset = 0, length = 0;  // of the words that name address and port, in the payload
};

struct FtpReading {
  bool partial = false;  // it may be a command that goes on in the next segment: Linux drops it
  std::optional<FtpAnnouncement> found = std::nullopt;
};

FtpReading read_ftp(ByteView payload, CtDirection direction, const Address& speaker);

// The words that replace an announcement's.
std::string ftp_words(FtpCommand command, const Address& address, std::uint16_t port);

}  // namespace postern
