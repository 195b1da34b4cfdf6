// "Did you mean ...?": the known name that is nearest to a misspelt one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tutti::tosca {

// A hint ("did you mean num_cpus?"), or empty when nothing known is near enough.
[[nodiscard]] std::string did_you_mean(std::string_view written,
                                       const std::vector<std::string_view>& known);

// One letter too many, missing, other or swapped: nobody meant another name by that.
[[nodiscard]] bool is_slip(std::string_view written, const std::vector<std::string_view>& known);

}  // namespace tutti::tosca
