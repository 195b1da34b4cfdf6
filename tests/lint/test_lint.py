#!/usr/bin/env python3
"""Planted violations prove that the lints can fail, and harmless code that they do not cry wolf."""
import unittest

import edges
import lint


class CoroutineTrap(unittest.TestCase):
    def rules(self, code, path="server/engine/x.cpp"):
        return [rule for _, rule, _ in lint.check_cpp(path, code)]

    def test_brace_built_temporaries(self):
        self.assertIn("gcc12-coroutine", self.rules("co_await f(Agg{a, b});"))
        self.assertIn("gcc12-coroutine", self.rules("auto x = co_await f({.a = 1});"))
        self.assertIn("gcc12-coroutine", self.rules("co_await f(\n    Options{\n        a});"))

    def test_owning_lambdas(self):
        self.assertIn("gcc12-coroutine", self.rules("co_await f([t] { use(t); });"))
        self.assertIn("gcc12-coroutine", self.rules("co_await f([p = std::move(q)] { use(p); });"))

    def test_await_in_a_condition(self):
        self.assertIn("gcc12-coroutine", self.rules("if (co_await yes()) co_return;"))
        self.assertIn("gcc12-coroutine", self.rules("while (n < f(1) && co_await more()) {}"))
        self.assertEqual([], self.rules("if (f(x)) co_await g();"))

    def test_safe_forms(self):
        self.assertEqual([], self.rules("Agg named{a, b};\nco_await f(std::move(named));"))
        self.assertEqual([], self.rules("co_await f([&] { use(t); });"))
        self.assertEqual([], self.rules("co_await f(std::string(a), g(b));"))

    def test_detached(self):
        self.assertIn("detached", self.rules("co_spawn(ex, task(), asio::detached);"))
        self.assertEqual([], self.rules("co_spawn(ex, task(), asio::detached);", "server/main.cpp"))

    def test_pure_core(self):
        self.assertIn("pure-core", self.rules("#include <boost/asio/awaitable.hpp>", "server/plan/x.cpp"))
        self.assertIn("pure-core", self.rules("auto t = std::chrono::system_clock::now();", "tosca/x.cpp"))

    def test_machine_path(self):
        self.assertTrue(lint.check_any("a.sh", "cd /wor" + "k/main"))
        self.assertFalse(lint.check_any("a.sh", "cd build/work/main"))


class Edges(unittest.TestCase):
    def test_violation_is_found(self):
        self.assertTrue(edges.violations({"tosca/source/a.cpp": {"providers/base/result.hpp"}}))
        self.assertTrue(edges.violations({"server/http/a.cpp": {"server/view/view.hpp"}}))
        self.assertTrue(edges.violations({"providers/docker/a.cpp": {"tosca/topology/value.hpp"}}))

    def test_allowed_edges(self):
        self.assertFalse(edges.violations({"server/api/a.cpp": {"server/engine/engine.hpp",
                                                                "providers/base/result.hpp"}}))


if __name__ == "__main__":
    unittest.main()
