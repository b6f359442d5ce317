package caldav

import (
	"iter"
	"strings"
)

// Element is one XML element as it was read: enough to write a property's
// value again as its author meant it (RFC 4918 4.3), prefixes included.
type Element struct {
	Name   Name
	Prefix string
	Attrs  []Attr // without namespace declarations and xml:lang
	Lang   string // xml:lang in scope, "" when none (RFC 4918 4.4)
	Nodes  []Node
	Line   int
}

// Attr is an attribute; one without a prefix is in no namespace.
type Attr struct {
	Name   Name
	Prefix string
	Value  string
}

// Node is a child element, or text when Element is nil.
type Node struct {
	Element *Element
	Text    string
}

// Is reports whether the element has the name.
func (e *Element) Is(n Name) bool { return e.Name == n }

// Attr is the value of the attribute without namespace, "" when absent.
func (e *Element) Attr(local string) string {
	v, _ := e.LookupAttr(local)
	return v
}

// LookupAttr is the value of the attribute without namespace and whether it is there.
func (e *Element) LookupAttr(local string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// Elements are the child elements in order.
func (e *Element) Elements() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for _, n := range e.Nodes {
			if n.Element != nil && !yield(n.Element) {
				return
			}
		}
	}
}

// Child is the first child element with the name, nil when there is none.
func (e *Element) Child(n Name) *Element {
	for c := range e.Elements() {
		if c.Name == n {
			return c
		}
	}
	return nil
}

// Text is the element's own text, as written.
func (e *Element) Text() string {
	if len(e.Nodes) == 1 {
		return e.Nodes[0].Text
	}
	var b strings.Builder
	for _, n := range e.Nodes {
		b.WriteString(n.Text)
	}
	return b.String()
}

// Href is the text of the child DAV:href without white space around it.
func (e *Element) Href() (string, bool) {
	h := e.Child(D("href"))
	if h == nil {
		return "", false
	}
	return strings.TrimSpace(h.Text()), true
}

// Fragment is the element as XML that can stand alone or anywhere inside a
// document without default namespace: every prefix it uses is declared in it,
// and its language is on it.
func (e *Element) Fragment() string {
	return string(e.append(nil, map[string]string{"xml": nsXML}, true))
}

// append writes the element; scope maps prefixes to what they mean there.
func (e *Element) append(b []byte, scope map[string]string, outermost bool) []byte {
	declare := func(prefix, space string) {
		if scope[prefix] == space {
			return
		}
		b = append(b, ` xmlns`...)
		if prefix != "" {
			b = append(b, ':')
			b = append(b, prefix...)
		}
		b = append(b, `="`...)
		b = appendEscaped(b, space, true)
		b = append(b, '"')
		scope[prefix] = space
	}
	outer := scope
	scope = make(map[string]string, len(outer)+1)
	for k, v := range outer {
		scope[k] = v
	}
	qualified := func(prefix, local string) {
		if prefix != "" {
			b = append(b, prefix...)
			b = append(b, ':')
		}
		b = append(b, local...)
	}
	b = append(b, '<')
	qualified(e.Prefix, e.Name.Local)
	declare(e.Prefix, e.Name.Space)
	for _, a := range e.Attrs {
		if a.Prefix != "" {
			declare(a.Prefix, a.Name.Space)
		}
		b = append(b, ' ')
		qualified(a.Prefix, a.Name.Local)
		b = append(b, `="`...)
		b = appendEscaped(b, a.Value, true)
		b = append(b, '"')
	}
	if outermost && e.Lang != "" {
		b = append(b, ` xml:lang="`...)
		b = appendEscaped(b, e.Lang, true)
		b = append(b, '"')
	}
	if len(e.Nodes) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	for _, n := range e.Nodes {
		if n.Element == nil {
			b = appendEscaped(b, n.Text, false)
			continue
		}
		// A child in another language than its parent says so.
		b = n.Element.append(b, scope, n.Element.Lang != e.Lang)
	}
	b = append(b, "</"...)
	qualified(e.Prefix, e.Name.Local)
	return append(b, '>')
}
