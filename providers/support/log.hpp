// The daemon's log: one line per record on standard error, JSON for machines or plain for people.
// Thread-safe; every record passes the redactor. Never gives control back with an error.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tutti {

enum class LogLevel { debug, info, warning, error };
enum class LogForm { plain, json };

// {"deployment", id}, {"step", id}: short facts beside the message.
using LogField = std::pair<std::string_view, std::string_view>;

void set_log_form(LogForm form);
void set_log_level(LogLevel lowest);
// Where lines go instead of standard error; -1 puts standard error back. For tests.
void set_log_descriptor(int descriptor);

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace tutti
