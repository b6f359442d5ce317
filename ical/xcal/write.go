package xcal

import (
	"encoding/xml"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/internal/typed"
)

// ContentType is the media type of xCal (RFC 6321 7.2).
const ContentType = "application/calendar+xml; charset=utf-8"

const (
	head = `<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<icalendar xmlns="` + Namespace + `">`
	tail = "\n</icalendar>\n"
)

// Marshal writes a calendar as an xCal document.
func Marshal(cal *ical.Calendar) ([]byte, error) { return AppendTo(nil, cal) }

// AppendTo appends what Marshal gives. The error is always nil: every calendar
// can be written. What no name can have, or one of more than 255 octets, is left
// out.
func AppendTo(b []byte, cal *ical.Calendar) ([]byte, error) {
	e := encoder{b: append(b, head...)}
	e.begin(cal.Properties)
	for i, c := range cal.Components {
		e.member(c, i)
	}
	e.end(len(cal.Components))
	return append(e.b, tail...), nil
}

// Writer writes calendars as one xCal document part by part, in the memory of
// the largest part. Its methods must not be used by several goroutines at
// once.
type Writer struct {
	p     typed.Parts
	e     encoder
	began bool
}

// NewWriter writes to w. Close completes the text; it does not close w.
func NewWriter(w io.Writer) *Writer { return &Writer{p: typed.Parts{W: w}} }

func (w *Writer) start() {
	if !w.began {
		w.e.b = append(w.e.b, head...)
		w.began = true
	}
}

// Begin starts a calendar with these properties.
func (w *Writer) Begin(properties []*ical.Property) error {
	if err := w.p.Begin(); err != nil {
		return err
	}
	w.start()
	w.e.begin(properties)
	return w.flush(false)
}

// Component adds a component to the calendar that was begun.
func (w *Writer) Component(c *ical.Component) error {
	if err := w.p.Component(); err != nil {
		return err
	}
	w.e.member(c, w.p.Components-1)
	return w.flush(false)
}

// End ends the calendar that was begun.
func (w *Writer) End() error {
	if err := w.p.End(); err != nil {
		return err
	}
	w.e.end(w.p.Components)
	return w.flush(false)
}

// Write writes a whole calendar.
func (w *Writer) Write(cal *ical.Calendar) error { return typed.Write(w, cal) }

// Close writes what is left.
func (w *Writer) Close() error {
	if err := w.p.Close(); err != nil {
		return err
	}
	w.start()
	w.e.b = append(w.e.b, tail...)
	return w.flush(true)
}

func (w *Writer) flush(all bool) (err error) {
	w.e.b, err = w.p.Flush(w.e.b, all)
	return err
}

type encoder struct {
	b []byte
	v typed.Value
}

func (e *encoder) begin(properties []*ical.Property) {
	e.b = append(e.b, "\n<vcalendar>"...)
	e.properties(properties)
}

func (e *encoder) member(c *ical.Component, n int) {
	if n == 0 {
		e.b = append(e.b, "\n<components>"...)
	}
	e.b = append(e.b, '\n')
	e.component(c)
}

func (e *encoder) end(components int) {
	if components > 0 {
		e.b = append(e.b, "\n</components>"...)
	}
	e.b = append(e.b, "\n</vcalendar>"...)
}

// component writes a component (RFC 6321 3.3).
func (e *encoder) component(c *ical.Component) {
	name := c.Name
	e.open(name)
	e.properties(c.Properties)
	if len(c.Components) > 0 {
		e.b = append(e.b, "<components>"...)
		for _, s := range c.Components {
			e.component(s)
		}
		e.b = append(e.b, "</components>"...)
	}
	e.close(name)
}

func (e *encoder) open(name string) {
	e.b = append(e.b, '<')
	e.b = appendName(e.b, name)
	e.b = append(e.b, '>')
}

func (e *encoder) close(name string) {
	e.b = append(e.b, '<', '/')
	e.b = appendName(e.b, name)
	e.b = append(e.b, '>')
}

// element writes an element that has only text. The name is one of ours.
func (e *encoder) element(name, text string) {
	e.b = append(e.b, '<')
	e.b = append(e.b, name...)
	e.b = append(e.b, '>')
	e.b = appendText(e.b, text)
	e.b = append(e.b, '<', '/')
	e.b = append(e.b, name...)
	e.b = append(e.b, '>')
}

func (e *encoder) properties(list []*ical.Property) {
	e.b = append(e.b, "<properties>"...)
	for _, p := range list {
		if name := p.Name(); typed.Writable(name) {
			e.property(p, name)
		}
	}
	e.b = append(e.b, "</properties>"...)
}

// property writes a property (3.4).
func (e *encoder) property(p *ical.Property, name string) {
	v := &e.v
	v.Of(p, name)
	params := v.ParamsOf(p)
	if name == "XML" && len(params) == 0 && v.Form == typed.Plain && len(v.Texts) == 1 && (v.Type == "text" || v.Type == typed.Unknown) {
		if text := p.Text(); isExtension(text) {
			e.b = append(e.b, text...)
			return
		}
	}
	e.open(name)
	if len(params) > 0 {
		e.b = append(e.b, "<parameters>"...)
		for _, q := range params {
			e.open(q.Name)
			for _, s := range q.Values {
				typ, s := paramType(q.Name, s)
				e.element(typ, s)
			}
			e.close(q.Name)
		}
		e.b = append(e.b, "</parameters>"...)
	}
	switch v.Form {
	case typed.Periods:
		for i := 0; i+1 < len(v.Texts); i += 2 {
			e.b = append(e.b, "<period>"...)
			e.element("start", v.Texts[i])
			end := "end"
			if strings.ContainsAny(v.Texts[i+1], "Pp") {
				end = "duration"
			}
			e.element(end, v.Texts[i+1])
			e.b = append(e.b, "</period>"...)
		}
	case typed.Geo:
		e.element("latitude", v.Texts[0])
		e.element("longitude", v.Texts[1])
	case typed.Status:
		for i, s := range v.Texts {
			e.element([...]string{"code", "description", "data"}[i], s)
		}
	case typed.Recur:
		e.b = append(e.b, "<recur>"...)
		for _, r := range v.Rule {
			for _, s := range r.Values {
				e.open(r.Name)
				e.b = appendText(e.b, s)
				e.close(r.Name)
			}
		}
		e.b = append(e.b, "</recur>"...)
	default:
		for _, s := range v.Texts {
			e.open(v.Type)
			e.b = appendText(e.b, s)
			e.close(v.Type)
		}
	}
	e.close(name)
}

// paramType is the element that a parameter's value stands in (3.5, 5).
func paramType(name, value string) (typ, text string) {
	def, known := ical.LookupParameter(name)
	switch {
	case !known:
		return typed.Unknown, value
	case def.Values == "TRUE FALSE" && (value == "TRUE" || value == "FALSE"):
		return "boolean", strings.ToLower(value)
	case def.Type == ical.URI || def.Type == ical.CalAddress:
		if value == strings.TrimSpace(value) {
			return strings.ToLower(def.Type), value
		}
	}
	return "text", value
}

// isExtension tells whether a text is one element of another namespace, with
// its namespace declared (4.2): only that may be written as it is.
func isExtension(s string) bool {
	if !strings.HasPrefix(s, "<") || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !isChar(r) }) {
		return false
	}
	t := scanner{in: typed.NewInput([]byte(s)), limit: len(s), deep: maxExtensionDepth}
	if k, err := t.next(); err != nil || k != startTag || !t.foreign || t.unbound || len(t.scope) == 0 {
		return false
	}
	prefix, _, prefixed := strings.Cut(string(t.open), ":")
	if !prefixed {
		prefix = ""
	}
	declared := false
	for _, b := range t.scope {
		declared = declared || b.prefix == prefix
	}
	for len(t.starts) > 0 || t.closing {
		if _, err := t.next(); err != nil || t.unbound || len(t.scope) >= maxBindings {
			return false
		}
	}
	if !declared || t.in.At != len(t.in.Data) || strings.Contains(s, "<?") {
		return false
	}
	// It goes into the document as it stands, so it has to be XML for everyone.
	for d := xml.NewDecoder(strings.NewReader(s)); ; {
		if _, err := d.Token(); err != nil {
			return err == io.EOF
		}
	}
}

// maxExtensionDepth is how deep the elements of an XML property may nest to be
// written as elements.
const maxExtensionDepth = 32

// isChar tells what XML 1.0 2.2 allows.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r != 0x7f && r != 0xfffe && r != 0xffff
}

// appendText appends character data. Characters that XML cannot hold are left
// out.
func appendText(b []byte, s string) []byte { return appendEscaped(b, s, false) }

// appendAttr appends the value of an attribute in double quotes.
func appendAttr(b []byte, s string) []byte { return appendEscaped(b, s, true) }

var special = func() (t [256]bool) {
	for c := range t {
		t[c] = c < ' ' && c != '\t' && c != '\n' || c >= 0x7f
	}
	t['&'], t['<'], t['>'], t['"'] = true, true, true, true
	return t
}()

func appendEscaped(b []byte, s string, attr bool) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if !special[c] && (!attr || c != '\n' && c != '\t') {
			i++
			continue
		}
		n, with := 1, ""
		switch {
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '"':
			if !attr {
				i++
				continue
			}
			with = "&quot;"
		case c == '\r':
			with = "&#13;"
		case c == '\n':
			with = "&#10;"
		case c == '\t':
			with = "&#9;"
		case c >= utf8.RuneSelf:
			var r rune
			r, n = utf8.DecodeRuneInString(s[i:])
			if isChar(r) && (r != utf8.RuneError || n > 1) {
				i += n
				continue
			}
			if n == 1 {
				with = "\ufffd"
			}
		}
		b = append(b, s[from:i]...)
		b = append(b, with...)
		i += n
		from = i
	}
	return append(b, s[from:]...)
}
