package caldav

import (
	"io"
	"unicode/utf8"
)

// Writer writes well-formed XML with the fixed prefixes d, c, cs and ical and
// passes it on in large pieces. It remembers the first error of the
// destination; later calls do nothing. The zero Writer keeps all it is given.
type Writer struct {
	buf []byte
	out io.Writer
	err error
}

// piece is how much is collected before it goes out: few system calls, and
// never more than this in memory however long the answer.
const piece = 32 << 10

// NewWriter writes to out; [Writer.Flush] must be called at the end.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Bytes is what has been written and not passed on.
func (w *Writer) Bytes() []byte { return w.buf }

// Property writes an element whose content is what value writes; when value
// says that there is none, nothing is written. It is for a Writer that keeps
// what it is given. attrs are names and values in turn.
func (w *Writer) Property(n Name, value func() bool, attrs ...string) bool {
	begin := len(w.buf)
	w.Start(n, attrs...)
	inner := len(w.buf)
	if !value() {
		w.buf = w.buf[:begin]
		return false
	}
	if len(w.buf) == inner {
		w.buf = w.buf[:begin]
		w.Empty(n, attrs...)
		return true
	}
	w.End(n)
	return true
}

// Flush passes on everything written so far.
func (w *Writer) Flush() error {
	if w.out != nil && w.err == nil && len(w.buf) > 0 {
		_, w.err = w.out.Write(w.buf)
		w.buf = w.buf[:0]
	}
	return w.err
}

func (w *Writer) spill() {
	if w.out != nil && len(w.buf) >= piece {
		w.Flush()
		w.buf = w.buf[:0]
	}
}

// StartDocument writes the declaration and the root element with the prefixes.
func (w *Writer) StartDocument(root Name) {
	w.buf = append(w.buf, `<?xml version="1.0" encoding="utf-8"?>`+"\n<"...)
	w.buf = appendQName(w.buf, root)
	w.buf = append(w.buf, ` xmlns:d="`+NSDAV+`" xmlns:c="`+NSCalDAV+`" xmlns:cs="`+NSCalendarServer+`" xmlns:ical="`+NSApple+`"`...)
	if prefix(root.Space) == "" && root.Space != "" {
		w.buf = append(w.buf, ` xmlns:x="`...)
		w.buf = appendEscaped(w.buf, root.Space, true)
		w.buf = append(w.buf, '"')
	}
	w.buf = append(w.buf, '>')
}

// Start writes a start tag; attrs are pairs of name and value in no namespace.
func (w *Writer) Start(n Name, attrs ...string) { w.tag(n, ">", attrs) }

// Empty writes an element without content.
func (w *Writer) Empty(n Name, attrs ...string) { w.tag(n, "/>", attrs) }

func (w *Writer) tag(n Name, close string, attrs []string) {
	w.buf = append(w.buf, '<')
	w.buf = appendQName(w.buf, n)
	if n.Space != "" && prefix(n.Space) == "" {
		w.buf = append(w.buf, ` xmlns:x="`...)
		w.buf = appendEscaped(w.buf, n.Space, true)
		w.buf = append(w.buf, '"')
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		w.buf = append(w.buf, ' ')
		w.buf = append(w.buf, attrs[i]...)
		w.buf = append(w.buf, `="`...)
		w.buf = appendEscaped(w.buf, attrs[i+1], true)
		w.buf = append(w.buf, '"')
	}
	w.buf = append(w.buf, close...)
}

// End writes an end tag.
func (w *Writer) End(n Name) {
	w.buf = append(w.buf, "</"...)
	w.buf = appendQName(w.buf, n)
	w.buf = append(w.buf, '>')
	w.spill()
}

// Text writes character data.
func (w *Writer) Text(s string) { w.buf = appendEscaped(w.buf, s, false) }

// Data writes octets as character data, as [Writer.Text] does.
func (w *Writer) Data(b []byte) { w.buf = appendEscaped(w.buf, b, false) }

// Element writes an element that holds text only.
func (w *Writer) Element(n Name, text string) {
	if text == "" {
		w.Empty(n)
		return
	}
	w.Start(n)
	w.Text(text)
	w.End(n)
}

// Href writes a DAV:href; the path is percent-encoded already.
func (w *Writer) Href(path string) {
	if path == "" {
		w.Empty(D("href"))
		return
	}
	w.buf = append(w.buf, "<d:href>"...)
	w.buf = appendEscaped(w.buf, path, false)
	w.buf = append(w.buf, "</d:href>"...)
}

// HrefIn writes an element that holds one DAV:href.
func (w *Writer) HrefIn(n Name, path string) {
	w.Start(n)
	w.Href(path)
	w.End(n)
}

// Fragment writes XML made by [Element.Fragment] as it is.
func (w *Writer) Fragment(xml string) {
	w.buf = append(w.buf, xml...)
	w.spill()
}

func appendQName(b []byte, n Name) []byte {
	switch p := prefix(n.Space); {
	case p != "":
		b = append(b, p...)
		b = append(b, ':')
	case n.Space != "":
		b = append(b, "x:"...)
	}
	return append(b, n.Local...)
}

// plainText are the octets that are written as they are, wherever they stand.
var plainText = func() (t [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = c != '&' && c != '<' && c != '>' && c != '"'
	}
	return t
}()

// appendEscaped escapes text and leaves out what XML 1.0 cannot say at all
// (control characters that a calendar may well hold). CR is written as a
// character reference, which XML does not normalise away (XML 1.0 2.11).
func appendEscaped[T string | []byte](b []byte, s T, attr bool) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainText[c] {
			for i++; i < len(s) && plainText[s[i]]; i++ {
			}
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && n == 1 {
				b = append(b, s[start:i]...)
				b = append(b, "\uFFFD"...)
				start = i + 1
			} else if r == 0xFFFE || r == 0xFFFF {
				b = append(b, s[start:i]...)
				start = i + n
			}
			i += n
			continue
		}
		var esc string
		switch c {
		case '&':
			esc = "&amp;"
		case '<':
			esc = "&lt;"
		case '>':
			esc = "&gt;"
		case '\r':
			esc = "&#13;"
		case '"':
			if attr {
				esc = "&quot;"
			}
		case '\n':
			if attr {
				esc = "&#10;"
			}
		case '\t':
			if attr {
				esc = "&#9;"
			}
		default:
			if c < 0x20 {
				b = append(b, s[start:i]...)
				start = i + 1
			}
		}
		i++
		if esc != "" {
			b = append(b, s[start:i-1]...)
			b = append(b, esc...)
			start = i
		}
	}
	return append(b, s[start:]...)
}
