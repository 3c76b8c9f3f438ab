#include "xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <charconv>
#include <map>
#include <mutex>

#include "ballast/base/limits.h"

namespace ballast::libvirt {
namespace {

const xmlNode* node_of(const void* node) { return static_cast<const xmlNode*>(node); }

std::string string_of(const xmlChar* text) {
  return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
}

std::string taken(xmlChar* text) {
  std::string out = string_of(text);
  xmlFree(text);
  return out;
}

}  // namespace

std::optional<Document> Document::parse(const std::string& text) {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
  if (text.size() > limits::description_bytes_max) return std::nullopt;
  constexpr int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
  xmlDoc* tree =
      xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr, options);
  if (tree == nullptr) return std::nullopt;
  return Document(
      std::shared_ptr<void>(tree, [](void* doc) { xmlFreeDoc(static_cast<xmlDoc*>(doc)); }));
}

Element Document::root() const {
  return Element(xmlDocGetRootElement(static_cast<xmlDoc*>(tree_.get())));
}

std::string Element::name() const {
  return node_ ? string_of(node_of(node_)->name) : std::string();
}

std::string Element::space() const {
  if (!node_ || node_of(node_)->ns == nullptr) return {};
  return string_of(node_of(node_)->ns->href);
}

std::string Element::text() const {
  return node_ ? taken(xmlNodeGetContent(node_of(node_))) : std::string();
}

std::optional<std::string> Element::attribute(const char* name) const {
  if (!node_) return std::nullopt;
  const auto* key = reinterpret_cast<const xmlChar*>(name);
  if (xmlHasProp(const_cast<xmlNode*>(node_of(node_)), key) == nullptr) return std::nullopt;
  return taken(xmlGetProp(node_of(node_), key));
}

std::vector<std::string> Element::attribute_names() const {
  std::vector<std::string> names;
  if (!node_) return names;
  for (const xmlAttr* at = node_of(node_)->properties; at != nullptr; at = at->next)
    names.push_back(string_of(at->name));
  return names;
}

Element Element::child(std::string_view name) const {
  const std::vector<Element> found = children(name);
  return found.empty() ? Element() : found.front();
}

std::vector<Element> Element::children() const {
  std::vector<Element> found;
  if (!node_) return found;
  for (const xmlNode* at = node_of(node_)->children; at != nullptr; at = at->next)
    if (at->type == XML_ELEMENT_NODE) found.emplace_back(at);
  return found;
}

std::vector<Element> Element::children(std::string_view name) const {
  std::vector<Element> found = children();
  std::erase_if(found, [&](const Element& element) { return element.name() != name; });
  return found;
}

std::optional<double> mib_of(const Element& element) {
  static const std::map<std::string, double> bytes_of = {{"b", 1},
                                                         {"bytes", 1},
                                                         {"KB", 1e3},
                                                         {"k", 1024.0},
                                                         {"KiB", 1024.0},
                                                         {"MB", 1e6},
                                                         {"M", 1048576.0},
                                                         {"MiB", 1048576.0},
                                                         {"GB", 1e9},
                                                         {"G", 1073741824.0},
                                                         {"GiB", 1073741824.0},
                                                         {"TB", 1e12},
                                                         {"T", 1099511627776.0},
                                                         {"TiB", 1099511627776.0}};
  const std::string text = element.text();
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit = bytes_of.find(element.attribute("unit").value_or("KiB"));
  if (read.ec != std::errc() || unit == bytes_of.end() || !(number >= 0)) return std::nullopt;
  return number * unit->second / 1048576.0;
}

}  // namespace ballast::libvirt
