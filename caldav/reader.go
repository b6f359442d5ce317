package caldav

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// Limits of one request body. A zero field means its value in [DefaultLimits].
type Limits struct {
	Size     int // octets
	Depth    int // elements within elements
	Elements int // in the whole body, attributes included, hrefs of a multiget not
	Hrefs    int // that one multiget may name
}

// DefaultLimits are far above what any known client sends: the longest bodies
// are multigets of a whole calendar, some 60 octets for each object.
var DefaultLimits = Limits{Size: 10 << 20, Depth: 32, Elements: 20_000, Hrefs: 100_000}

func (l Limits) orDefault() Limits {
	for _, f := range []struct{ have, def *int }{
		{&l.Size, &DefaultLimits.Size}, {&l.Depth, &DefaultLimits.Depth},
		{&l.Elements, &DefaultLimits.Elements}, {&l.Hrefs, &DefaultLimits.Hrefs},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return l
}

// reader reads a document as its root element and then, one by one, the trees
// of the root's children, so that a long list of small ones is never held whole.
//
// It resolves namespaces itself from raw tokens: the standard library's own
// resolution takes a prefix that is bound to nothing for a namespace, loses
// prefixes, and lets an attribute occur twice.
type reader struct {
	dec      *xml.Decoder
	limits   Limits
	scopes   []binding // prefixes in force, innermost last
	open     []opened
	elements int
}

type binding struct{ prefix, space string }

type opened struct {
	qname  string // prefix and local name as written
	scopes int    // length of reader.scopes outside the element
	lang   string
}

// newReader checks size and encoding and reads the root element's start.
func newReader(data []byte, l Limits) (*reader, *Element, error) {
	l = l.orDefault()
	if len(data) > l.Size {
		return nil, nil, refuse(BeyondSize, 0, "The request body has %d octets; %d are allowed.", len(data), l.Size)
	}
	data, err := toUTF8(data)
	if err != nil {
		return nil, nil, err
	}
	r := &reader{dec: xml.NewDecoder(bytes.NewReader(data)), limits: l, scopes: []binding{{"xml", nsXML}}}
	r.dec.CharsetReader = charset
	for {
		t, err := r.token()
		if err == io.EOF {
			return nil, nil, refuse(Malformed, 0, "The request body holds no XML element.")
		}
		if err != nil {
			return nil, nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			root, err := r.start(t)
			return r, root, err
		case xml.EndElement:
			return nil, nil, r.malformed("an end tag without a start")
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, nil, r.malformed("text outside of the root element")
			}
		}
	}
}

// next is the tree of the root's next child element; io.EOF after the last,
// when the document has proved well-formed to its end. Text directly below
// the root is passed over: no body that we know has any (RFC 4918 17).
func (r *reader) next() (*Element, error) {
	for {
		t, err := r.token()
		if err == io.EOF {
			if len(r.open) > 0 {
				return nil, r.malformed("the body ends inside <%s>", r.open[len(r.open)-1].qname)
			}
			return nil, io.EOF
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(r.open) == 0 {
				return nil, r.malformed("a second root element")
			}
			e, err := r.start(t)
			if err != nil {
				return nil, err
			}
			return e, r.tree(e)
		case xml.EndElement:
			if err := r.end(t); err != nil {
				return nil, err
			}
		case xml.CharData:
			if len(r.open) == 0 && len(bytes.TrimSpace(t)) > 0 {
				return nil, r.malformed("text outside of the root element")
			}
		}
	}
}

// tree reads everything within e up to its end tag.
func (r *reader) tree(e *Element) error {
	stack := []*Element{e}
	// A comment within text makes two of one; they are one again here.
	var text []byte
	flush := func(parent *Element) {
		if len(text) > 0 {
			parent.Nodes = append(parent.Nodes, Node{Text: string(text)})
			text = text[:0]
		}
	}
	for len(stack) > 0 {
		t, err := r.token()
		if err == io.EOF {
			return r.malformed("the body ends inside <%s>", r.open[len(r.open)-1].qname)
		}
		if err != nil {
			return err
		}
		parent := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			c, err := r.start(t)
			if err != nil {
				return err
			}
			flush(parent)
			parent.Nodes = append(parent.Nodes, Node{Element: c})
			stack = append(stack, c)
		case xml.EndElement:
			if err := r.end(t); err != nil {
				return err
			}
			flush(parent)
			stack = stack[:len(stack)-1]
		case xml.CharData:
			text = append(text, t...)
		}
	}
	return nil
}

func (r *reader) token() (xml.Token, error) {
	t, err := r.dec.RawToken()
	var mine *Error
	switch {
	case err == io.EOF:
		return nil, io.EOF
	case errors.As(err, &mine):
		return nil, mine
	case err != nil:
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			return nil, r.malformed("%s", syntax.Msg)
		}
		return nil, r.malformed("%v", err)
	}
	if _, ok := t.(xml.Directive); ok {
		// RFC 4918 20.6: without a document type there are no entities to expand or fetch.
		return nil, r.malformed("a document type declaration, which is not allowed here")
	}
	return t, nil
}

func (r *reader) malformed(format string, args ...any) *Error {
	line, _ := r.dec.InputPos()
	return refuse(Malformed, line, "The request body is not well-formed XML: %s.", fmt.Sprintf(format, args...))
}

func qname(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func (r *reader) start(t xml.StartElement) (*Element, error) {
	r.elements += 1 + len(t.Attr)
	line, _ := r.dec.InputPos()
	switch {
	case r.elements > r.limits.Elements:
		return nil, refuse(BeyondSize, line, "The request body has more than %d elements and attributes.", r.limits.Elements)
	case len(r.open) >= r.limits.Depth:
		return nil, refuse(BeyondSize, line, "The request body nests elements deeper than %d levels.", r.limits.Depth)
	}
	o := opened{qname: qname(t.Name), scopes: len(r.scopes)}
	if len(r.open) > 0 {
		o.lang = r.open[len(r.open)-1].lang
	}
	for i, a := range t.Attr {
		for _, b := range t.Attr[:i] {
			if a.Name == b.Name {
				return nil, r.malformed("attribute %s twice on <%s>", qname(a.Name), o.qname)
			}
		}
		switch {
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			if a.Value == nsXML || a.Value == nsXMLNS {
				return nil, r.malformed("%q cannot be the default namespace", a.Value)
			}
			r.scopes = append(r.scopes, binding{"", a.Value})
		case a.Name.Space == "xmlns":
			if a.Value == "" || a.Value == nsXMLNS || a.Name.Local == "xmlns" || (a.Name.Local == "xml") != (a.Value == nsXML) {
				// Namespaces in XML 1.0, 3 and 2.2
				return nil, r.malformed("prefix %s cannot be bound to %q", a.Name.Local, a.Value)
			}
			r.scopes = append(r.scopes, binding{a.Name.Local, a.Value})
		case a.Name.Space == "xml" && a.Name.Local == "lang":
			o.lang = a.Value
		}
		if i >= maxAttributes {
			return nil, refuse(BeyondSize, line, "<%s> has more than %d attributes.", o.qname, maxAttributes)
		}
	}
	e := &Element{Prefix: t.Name.Space, Lang: o.lang, Line: line}
	var err error
	if e.Name, err = r.resolve(t.Name, true); err != nil {
		return nil, err
	}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || qname(a.Name) == "xmlns" || qname(a.Name) == "xml:lang" {
			continue
		}
		n, err := r.resolve(a.Name, false)
		if err != nil {
			return nil, err
		}
		e.Attrs = append(e.Attrs, Attr{Name: n, Prefix: a.Name.Space, Value: a.Value})
	}
	r.open = append(r.open, o)
	return e, nil
}

// maxAttributes on one element: they are compared with each other for doubles.
const maxAttributes = 64

func (r *reader) resolve(n xml.Name, element bool) (Name, error) {
	if strings.Contains(n.Local, ":") {
		return Name{}, r.malformed("%q is not a qualified name", qname(n))
	}
	if n.Space == "" && !element { // Namespaces in XML 6.2: the default does not apply to attributes
		return n, nil
	}
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if r.scopes[i].prefix == n.Space {
			return Name{Space: r.scopes[i].space, Local: n.Local}, nil
		}
	}
	if n.Space == "" {
		return n, nil
	}
	return Name{}, r.malformed("prefix %s is not bound to a namespace", n.Space)
}

func (r *reader) end(t xml.EndElement) error {
	if len(r.open) == 0 {
		return r.malformed("an end tag </%s> without a start", qname(t.Name))
	}
	o := r.open[len(r.open)-1]
	if q := qname(t.Name); q != o.qname {
		return r.malformed("<%s> is closed by </%s>", o.qname, q)
	}
	r.open = r.open[:len(r.open)-1]
	r.scopes = r.scopes[:o.scopes]
	return nil
}

// ParseElement reads a whole document as one tree.
func ParseElement(data []byte, l Limits) (*Element, error) {
	r, root, err := newReader(data, l)
	if err != nil {
		return nil, err
	}
	if err := r.tree(root); err != nil {
		return nil, err
	}
	if _, err := r.next(); err != io.EOF { // what follows the root must be nothing
		return nil, err
	}
	return root, nil
}

// toUTF8 turns UTF-16 (by its mark, or by its first character, XML 1.0 F.1)
// into UTF-8 and takes a UTF-8 mark away.
func toUTF8(data []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		return data[3:], nil
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		order, data = binary.BigEndian, data[2:]
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		order, data = binary.LittleEndian, data[2:]
	case bytes.HasPrefix(data, []byte{0, '<'}):
		order = binary.BigEndian
	case bytes.HasPrefix(data, []byte{'<', 0}):
		order = binary.LittleEndian
	default:
		return data, nil
	}
	if len(data)%2 != 0 {
		return nil, refuse(Malformed, 0, "The request body looks like UTF-16 and has an odd number of octets.")
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(string(utf16.Decode(units))), nil
}

// charset reads what an XML declaration calls the encoding; the decoder has
// handled UTF-8 itself, and toUTF8 the octets of UTF-16.
func charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "latin1":
		data, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		out := make([]byte, 0, len(data)+len(data)/8)
		for _, c := range data {
			out = append(out, string(rune(c))...)
		}
		return bytes.NewReader(out), nil
	}
	return nil, refuse(Encoding, 1, "The request body is written in %q; send it in UTF-8 or UTF-16.", label)
}
