// Reading libvirt's XML: a thin cover over libxml2, which libvirt itself links. The only file that
// knows it is xml.cpp. Nothing is ever fetched, and no entity of a document is expanded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::libvirt {

// One element; a view into its document. A default one is no element: it has no name, attributes
// or children, so that a path of elements can be walked without asking at each step.
class Element {
 public:
  Element() = default;
  explicit Element(const void* node) : node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }
  std::string name() const;   // without its prefix
  std::string space() const;  // the URI of its namespace; empty: none
  std::string text() const;   // of all below it
  std::optional<std::string> attribute(const char* name) const;
  std::string attribute_or_empty(const char* name) const { return attribute(name).value_or(""); }
  std::vector<std::string> attribute_names() const;
  Element child(std::string_view name) const;  // the first of that name
  std::vector<Element> children() const;
  std::vector<Element> children(std::string_view name) const;

 private:
  const void* node_ = nullptr;
};

class Document {
 public:
  // Nothing when it is no XML.
  static std::optional<Document> parse(const std::string& text);
  Element root() const;

 private:
  explicit Document(std::shared_ptr<void> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<void> tree_;
};

// A number with libvirt's unit attribute ("KiB" where it is missing), as MiB.
std::optional<double> mib_of(const Element& element);

}  // namespace ballast::libvirt
