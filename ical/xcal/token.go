package xcal

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical/internal/typed"
)

// Namespace is that of xCal's elements (RFC 6321 7.1).
const Namespace = "urn:ietf:params:xml:ns:icalendar-2.0"

// draftNamespace was announced by the drafts.
const draftNamespace = "urn:ietf:params:xml:ns:xcal"

type kind uint8

const (
	startTag kind = iota
	endTag
	text
	endOfText
)

// scanner takes XML apart: elements that nest as they should, with their
// namespaces, and text without its references.
type scanner struct {
	in    typed.Input
	limit int // octets of one token
	deep  int // elements that may be nested

	tag     []byte   // what stands between the brackets of the start tag
	name    []byte   // of the tag, local part as spelled
	unbound bool     // a prefix of it has no namespace
	foreign bool     // the tag is of another namespace
	attrs   []attr   // of the start tag, those without prefix
	others  [][]byte // prefixes of the other attributes
	text    []byte   // of the text
	room    []byte
	closing bool // an empty-element tag: its end comes next

	open   []byte // full names of the open elements
	starts []int  // where they start in open
	scope  []binding

	copying bool // what is read goes to copied too
	copied  []byte
}

type attr struct{ name, value []byte }

type binding struct {
	prefix, uri string
	depth       int
}

// next reads the next token. Slices hold until the call after.
func (s *scanner) next() (kind, error) {
	if s.closing {
		s.closing = false
		return endTag, s.pop()
	}
	in := &s.in
	for {
		if in.At == len(in.Data) && !in.More(in.At) {
			if err := in.Failed(); err != nil {
				return 0, err
			}
			if len(s.starts) > 0 {
				return 0, in.Fault("the text ends inside of <%s>", clip(s.open[s.starts[len(s.starts)-1]:]))
			}
			return endOfText, nil
		}
		if in.Data[in.At] != '<' {
			return text, s.chars()
		}
		if err := s.need(2); err != nil {
			return 0, err
		}
		switch in.Data[in.At+1] {
		case '/':
			return endTag, s.end()
		case '?':
			if err := s.skip("<?", "?>"); err != nil {
				return 0, err
			}
		case '!':
			if s.ahead("<![CDATA[") {
				return text, s.cdata()
			}
			if !s.ahead("<!--") {
				return 0, in.Fault("a document type declaration, or what else starts with <!, is not read")
			}
			if err := s.skip("<!--", "-->"); err != nil {
				return 0, err
			}
		default:
			return startTag, s.start()
		}
	}
}

// need makes sure that n octets stand in the window.
func (s *scanner) need(n int) error {
	for s.in.At+n > len(s.in.Data) {
		if !s.in.More(s.in.At) {
			return s.in.Fault("the text ends inside of a tag")
		}
	}
	return nil
}

func (s *scanner) ahead(what string) bool {
	return s.need(len(what)) == nil && string(s.in.Data[s.in.At:s.in.At+len(what)]) == what
}

// take consumes n octets.
func (s *scanner) take(n int) []byte {
	t := s.in.Data[s.in.At : s.in.At+n]
	if s.copying {
		s.copied = append(s.copied, t...)
	}
	s.in.At += n
	return t
}

// find gives the distance of what from At+after; ok is false at the end of all.
func (s *scanner) find(after int, what string) (n int, ok bool) {
	in := &s.in
	for from := after; ; {
		if from > s.limit {
			return 0, false
		}
		if in.At+from <= len(in.Data) {
			if i := bytes.Index(in.Data[in.At+from:], []byte(what)); i >= 0 {
				return from + i, true
			}
		}
		from = max(after, len(in.Data)-in.At-len(what)+1)
		if !in.More(in.At) {
			return 0, false
		}
	}
}

func (s *scanner) skip(start, end string) error {
	n, ok := s.find(len(start), end)
	if !ok {
		return s.in.Fault("%s is not ended by %s", start, end)
	}
	s.take(n + len(end))
	return nil
}

func (s *scanner) cdata() error {
	n, ok := s.find(len("<![CDATA["), "]]>")
	if !ok {
		return s.in.Fault("<![CDATA[ is not ended by ]]>")
	}
	s.text = s.take(n + len("]]>"))[len("<![CDATA["):n]
	return nil
}

// chars reads text up to the next tag, or a part of it.
func (s *scanner) chars() error {
	in := &s.in
	n := 0
	for {
		if i := bytes.IndexByte(in.Data[in.At+n:], '<'); i >= 0 {
			n += i
			break
		}
		n = len(in.Data) - in.At
		if n > s.limit {
			return in.Limit(fmt.Sprintf("a text of more than %d octets", s.limit))
		}
		if !in.More(in.At) {
			break
		}
	}
	at := in.At
	s.text = s.take(n)
	if bytes.IndexByte(s.text, '&') < 0 && bytes.IndexByte(s.text, '\r') < 0 {
		return nil
	}
	var err error
	s.room, err = s.resolve(s.room[:0], s.text, at)
	s.text = s.room
	return err
}

// resolve undoes references and ends lines with LF (XML 1.0 2.11, 4.1, 4.6).
func (s *scanner) resolve(b, t []byte, at int) ([]byte, error) {
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '\r':
			if i+1 == len(t) || t[i+1] != '\n' {
				b = append(b, '\n')
			}
			continue
		case '&':
		default:
			b = append(b, t[i])
			continue
		}
		end := bytes.IndexByte(t[i:min(len(t), i+16)], ';')
		if end < 0 {
			return b, s.in.FaultAt(at+i, "an ampersand that starts no reference; write it as &amp;")
		}
		name := string(t[i+1 : i+end])
		switch name {
		case "amp":
			b = append(b, '&')
		case "lt":
			b = append(b, '<')
		case "gt":
			b = append(b, '>')
		case "quot":
			b = append(b, '"')
		case "apos":
			b = append(b, '\'')
		default:
			if name == "" || name[0] != '#' {
				return b, s.in.FaultAt(at+i, "the entity &%s; is not one of XML's five", name)
			}
			digits, base := name[1:], 10
			if len(digits) > 0 && digits[0] == 'x' {
				digits, base = digits[1:], 16
			}
			r, err := strconv.ParseUint(digits, base, 32)
			if err != nil || r > utf8.MaxRune || r == 0 {
				return b, s.in.FaultAt(at+i, "&%s; is no character", name)
			}
			b = utf8.AppendRune(b, rune(r))
		}
		i += end
	}
	return b, nil
}

// start reads a start tag.
func (s *scanner) start() error {
	in := &s.in
	// Attribute values may hold ">", so the end is looked for with quotes.
	n, quote, plain := 1, byte(0), true
	for {
		for in.At+n < len(in.Data) {
			c := in.Data[in.At+n]
			if quote != 0 {
				if c == quote {
					quote = 0
				} else if c == '<' {
					return in.FaultAt(in.At+n, "< in the value of an attribute")
				}
			} else if c == '>' {
				goto found
			} else if c == '"' || c == '\'' {
				quote, plain = c, false
			} else if c <= ' ' || c == ':' {
				plain = false
			} else if c == '<' {
				return in.FaultAt(in.At+n, "< inside of a tag")
			}
			n++
		}
		if n > s.limit {
			return in.Limit(fmt.Sprintf("a tag of more than %d octets", s.limit))
		}
		if !in.More(in.At) {
			return in.Fault("the text ends inside of a tag")
		}
	}
found:
	if len(s.starts) >= s.deep {
		return in.Limit(fmt.Sprintf("elements nested deeper than %d", s.deep))
	}
	at := in.At
	tag := s.take(n + 1)
	tag = tag[1:n]
	if len(tag) > 0 && tag[len(tag)-1] == '/' {
		s.closing = true
		tag = tag[:len(tag)-1]
	}
	name := tag
	if !plain {
		if i := bytes.IndexAny(tag, " \t\r\n"); i >= 0 {
			name = tag[:i]
		}
	}
	if len(name) == 0 {
		return in.FaultAt(at, "a tag without a name")
	}
	s.starts = append(s.starts, len(s.open))
	s.open = append(s.open, name...)
	s.tag, s.attrs, s.others = tag, s.attrs[:0], s.others[:0]
	if !plain {
		if err := s.attributes(tag[len(name):], at+1+len(name)); err != nil {
			return err
		}
	}
	s.resolveName(name)
	return nil
}

// attributes reads what follows the name of a start tag.
func (s *scanner) attributes(t []byte, at int) error {
	for {
		rest := bytes.TrimLeft(t, " \t\r\n")
		at += len(t) - len(rest)
		if len(rest) == 0 {
			return nil
		}
		eq := bytes.IndexByte(rest, '=')
		if eq < 0 {
			return s.in.FaultAt(at, "an attribute without a value")
		}
		name := bytes.TrimRight(rest[:eq], " \t\r\n")
		value := bytes.TrimLeft(rest[eq+1:], " \t\r\n")
		if len(name) == 0 || bytes.ContainsAny(name, " \t\r\n\"'") || len(value) == 0 || value[0] != '"' && value[0] != '\'' {
			return s.in.FaultAt(at, "an attribute without a name or without quotes")
		}
		end := bytes.IndexByte(value[1:], value[0])
		if end < 0 {
			return s.in.FaultAt(at, "an attribute without its closing quote")
		}
		v, next := value[1:1+end], value[2+end:]
		if bytes.IndexByte(v, '&') >= 0 {
			var err error
			if v, err = s.resolve(nil, v, at); err != nil {
				return err
			}
		}
		prefix, local, prefixed := bytes.Cut(name, []byte{':'})
		switch {
		case string(name) == "xmlns":
			s.bind("", string(v))
		case prefixed && string(prefix) == "xmlns":
			s.bind(string(local), string(v))
		case !prefixed:
			if len(s.attrs) == maxAttrs {
				return s.in.FaultAt(at, "more than %d attributes", maxAttrs)
			}
			s.attrs = append(s.attrs, attr{name, v})
		case len(s.others) < maxAttrs:
			s.others = append(s.others, prefix)
		}
		at += len(rest) - len(next)
		t = next
	}
}

// maxAttrs is more than the parameters any property has.
const maxAttrs = 64

// maxBindings bounds the namespaces in scope, so that looking one up is cheap.
const maxBindings = 64

func (s *scanner) bind(prefix, uri string) {
	if len(s.scope) < maxBindings {
		s.scope = append(s.scope, binding{prefix, uri, len(s.starts)})
	}
}

// resolveName splits the name of a tag and finds its namespace. xCal without
// any namespace is read too.
func (s *scanner) resolveName(name []byte) {
	prefix := ""
	s.name = name
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		prefix, s.name = string(name[:i]), name[i+1:]
	}
	uri, bound := s.lookup(prefix)
	s.foreign = uri != "" && uri != Namespace && uri != draftNamespace || prefix != "" && !bound
	s.unbound = prefix != "" && !bound
	for _, other := range s.others {
		if _, bound := s.lookup(string(other)); !bound {
			s.unbound = true
		}
	}
}

func (s *scanner) lookup(prefix string) (uri string, bound bool) {
	for i := len(s.scope) - 1; i >= 0; i-- {
		if s.scope[i].prefix == prefix {
			return s.scope[i].uri, true
		}
	}
	return "", prefix == "xml"
}

// atEnd tells whether the end tag of the innermost element stands at At as it
// usually is written, and gives its length.
func (s *scanner) atEnd() (n int, ok bool) {
	if len(s.starts) == 0 {
		return 0, false
	}
	name, d := s.open[s.starts[len(s.starts)-1]:], s.in.Data[s.in.At:]
	n = len("</") + len(name)
	return n + 1, len(d) > n && d[0] == '<' && d[1] == '/' && d[n] == '>' && bytes.Equal(d[2:n], name)
}

// end reads an end tag.
func (s *scanner) end() error {
	if n, ok := s.atEnd(); ok {
		s.take(n)
		return s.pop()
	}
	n, ok := s.find(2, ">")
	if !ok {
		return s.in.Fault("the text ends inside of a tag")
	}
	at := s.in.At
	name := bytes.TrimRight(s.take(n + 1)[2:n], " \t\r\n")
	if len(s.starts) == 0 || !bytes.Equal(s.open[s.starts[len(s.starts)-1]:], name) {
		return s.in.FaultAt(at, "</%s> closes nothing that is open", clip(name))
	}
	return s.pop()
}

// pop leaves the innermost element.
func (s *scanner) pop() error {
	n := len(s.starts)
	for len(s.scope) > 0 && s.scope[len(s.scope)-1].depth >= n {
		s.scope = s.scope[:len(s.scope)-1]
	}
	s.open, s.starts = s.open[:s.starts[n-1]], s.starts[:n-1]
	return nil
}

// leave reads to the end of the element that was started last.
func (s *scanner) leave() error {
	for depth := 1; depth > 0; {
		k, err := s.next()
		if err != nil {
			return err
		}
		if s.copying && len(s.copied) > s.limit {
			return s.in.Limit(fmt.Sprintf("an element of more than %d octets", s.limit))
		}
		switch k {
		case startTag:
			depth++
		case endTag:
			depth--
		}
	}
	return nil
}

// leaf reads the text of the element that was started last, up to its end.
// Elements inside are no part of it. What it gives holds until the next token.
func (s *scanner) leaf() ([]byte, error) {
	first, err := s.next()
	if err != nil || first == endTag {
		return nil, err
	}
	in := &s.in
	if first == text {
		// The usual case: one text, then the end tag in the same window.
		if _, ok := s.atEnd(); ok {
			t := s.text
			return t, s.end()
		}
	}
	var all []byte
	for k := first; k != endTag; {
		if k == text {
			all = append(all, s.text...)
			if len(all) > s.limit {
				return nil, in.Limit(fmt.Sprintf("a text of more than %d octets", s.limit))
			}
		} else if err := s.leave(); err != nil {
			return nil, err
		}
		if k, err = s.next(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func clip(s []byte) []byte { return s[:min(len(s), 40)] }
