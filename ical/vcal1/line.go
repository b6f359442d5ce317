package vcal1

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// parameter is one of a line; a value alone has its name guessed (v§2.1.2).
type parameter struct{ name, value string }

// line is a property with its value unfolded and decoded.
type line struct {
	number int
	name   string // upper case, without a group prefix
	params []parameter
	raw    string // unfolded, as it was transferred
	value  string // decoded, UTF-8, lines ended by \n
	binary []byte // of ENCODING=BASE64
}

// param is the value of a parameter, "" when absent.
func (l *line) param(name string) string {
	for _, p := range l.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// is compares a parameter without regard to case.
func (l *line) is(name, value string) bool { return strings.EqualFold(l.param(name), value) }

// bareParameters are the values that may stand without their names.
var bareParameters = map[string]string{
	"7BIT": "ENCODING", "8BIT": "ENCODING", "8-BIT": "ENCODING", "QUOTED-PRINTABLE": "ENCODING", "BASE64": "ENCODING", "B": "ENCODING",
	"INLINE": "VALUE", "URL": "VALUE", "CID": "VALUE", "CONTENT-ID": "VALUE",
	"WAVE": "TYPE", "PCM": "TYPE", "AIFF": "TYPE", "VCARD": "TYPE",
	"OWNER": "ROLE", "ORGANIZER": "ROLE", "DELEGATE": "ROLE",
	"ACCEPTED": "STATUS", "CONFIRMED": "STATUS", "DECLINED": "STATUS", "TENTATIVE": "STATUS", "DELEGATED": "STATUS", "NEEDS ACTION": "STATUS",
}

// unspaced are properties whose values have no blanks, so that a fold inside
// of them is one in the manner of iCalendar.
var unspaced = map[string]bool{"UID": true, "URL": true, "RELATED-TO": true}

// scanner goes over the physical lines of a text.
type scanner struct {
	s      string
	number int // of the line that next gave

	// Where the text is read piece by piece:
	r     io.Reader
	err   error // that ended it
	limit int   // octets that may be read before reset is called
	left  int   // of limit
	piece []byte
}

// scanChunk is how much is read at once.
const scanChunk = 1 << 16

// newScanner reads from r.
func newScanner(r io.Reader, limit int) *scanner {
	s := &scanner{r: r, limit: limit, left: limit}
	s.fill()
	s.s = strings.TrimPrefix(s.s, "\ufeff")
	return s
}

// reset begins a part that may be as long as the limit.
func (s *scanner) reset() { s.left = s.limit }

// fill reads on until there is a whole physical line, and gives where it ends.
func (s *scanner) fill() (end int) {
	for i := 0; ; {
		for i < len(s.s) && s.s[i] != '\n' && s.s[i] != '\r' {
			i++
		}
		if s.r == nil || s.err != nil || i+1 < len(s.s) {
			return i
		}
		if len(s.s) > s.left {
			s.tooLong()
			return i
		}
		if n := max(scanChunk, len(s.s)); len(s.piece) < n {
			s.piece = make([]byte, n)
		}
		n, err := s.r.Read(s.piece)
		s.s, s.err = s.s+string(s.piece[:n]), err
	}
}

func (s *scanner) tooLong() {
	s.err = &ParseError{s.number + 1, fmt.Sprintf("a part of the calendar has more than %d octets", s.limit), ErrLimit}
}

// failed is the error that ended the text, nil at its proper end.
func (s *scanner) failed() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

// next takes a physical line without its end: CRLF, LF or CR alone.
func (s *scanner) next() (text string, ok bool) {
	i := s.fill()
	if s.s == "" || s.failed() != nil {
		return "", false
	}
	s.number++
	n := min(i+1, len(s.s))
	if text = s.s[:i]; n < len(s.s) && s.s[i] == '\r' && s.s[n] == '\n' {
		n++
	}
	if s.left -= n; s.r != nil && s.left < 0 {
		s.tooLong()
		return "", false
	}
	s.s = s.s[n:]
	return text, true
}

// peek is next without taking the line.
func (s *scanner) peek() (string, bool) {
	i := s.fill()
	if s.s == "" || s.failed() != nil {
		return "", false
	}
	return s.s[:i], true
}

// frame tells a line that begins or ends a component, however it is indented.
func frame(text string) bool {
	text = strings.TrimLeft(text, " \t")
	for _, word := range [...]string{"BEGIN:", "END:"} {
		if len(text) > len(word)+1 && strings.EqualFold(text[:len(word)], word) && strings.EqualFold(text[len(word):len(word)+1], "V") {
			return true
		}
	}
	return false
}

// logical takes a property: its physical lines joined, decoded. A blank line
// gives a line without a name; ok is false at the end.
func (s *scanner) logical() (l *line, ok bool) {
	text, ok := s.next()
	if !ok {
		return nil, false
	}
	l = &line{number: s.number}
	head, value, found := cutValue(text)
	if !found {
		// The line may be folded before its colon.
		for {
			more, ok := s.peek()
			if !ok || !folded(more) || frame(more) || strings.TrimSpace(text) == "" {
				break
			}
			s.next()
			text = strings.TrimRight(text, " \t") + " " + strings.TrimLeft(more, " \t")
			if head, value, found = cutValue(text); found || len(text) > 4096 {
				break
			}
		}
	}
	l.setHead(head)
	if !found {
		l.raw = strings.TrimSpace(text)
		return l, true
	}
	if l.name == "BEGIN" || l.name == "END" { // what follows may be indented, and is no fold
		l.raw = strings.TrimSpace(value)
		l.value = l.raw
		return l, true
	}
	switch encoding := strings.ToUpper(l.param("ENCODING")); encoding {
	case "QUOTED-PRINTABLE":
		l.raw = s.softBreaks(value)
		l.value = plain(decodeCharset(unquote(l.raw), l.param("CHARSET")))
	case "BASE64", "B":
		l.raw = s.base64Lines(value)
		l.binary, l.value = decodeBase64(l.raw), l.raw
	default:
		l.raw = s.unfold(value, unspaced[l.name])
		l.value = plain(decodeCharset(l.raw, l.param("CHARSET")))
	}
	return l, true
}

func folded(text string) bool {
	return text != "" && (text[0] == ' ' || text[0] == '\t') && strings.TrimSpace(text) != ""
}

// unfold joins the folds of a value. White space at a fold stays, as one blank
// (v§2.1.3 unfolds CRLF and white space to the white space).
func (s *scanner) unfold(value string, unspaced bool) string {
	more, ok := s.peek()
	if !ok || !folded(more) || frame(more) {
		return strings.TrimSpace(value)
	}
	var b strings.Builder
	b.WriteString(strings.TrimSpace(value))
	for ok && folded(more) && !frame(more) {
		s.next()
		if !unspaced {
			b.WriteByte(' ')
		}
		b.WriteString(strings.TrimSpace(more))
		more, ok = s.peek()
	}
	return b.String()
}

// softBreaks joins the lines of a quoted-printable value: as long as a line
// ends with "=", the next belongs to it. Some writers fold as well.
func (s *scanner) softBreaks(value string) string {
	var b strings.Builder
	text := strings.TrimLeft(value, " \t")
	for {
		text = strings.TrimRight(text, " \t")
		more, ok := s.peek()
		soft := strings.HasSuffix(text, "=")
		if !soft {
			b.WriteString(text)
			if !ok || !folded(more) || frame(more) {
				return b.String()
			}
			b.WriteByte(' ')
			more = strings.TrimLeft(more, " \t")
		} else {
			text = text[:len(text)-1]
			b.WriteString(text)
			if !ok || frame(more) {
				return b.String()
			}
			// After a line break of the text, the format's own examples indent.
			if u := strings.ToUpper(text); strings.HasSuffix(u, "=0A") || strings.HasSuffix(u, "=0D") {
				more = strings.TrimLeft(more, " \t")
			}
		}
		s.next()
		text = more
	}
}

// base64Lines joins a BASE64 value, which a blank line ends; one that lacks it
// ends where a line can no longer be part of it.
func (s *scanner) base64Lines(value string) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(value))
	for {
		more, ok := s.peek()
		if !ok || frame(more) {
			return b.String()
		}
		text := strings.TrimSpace(more)
		if strings.Trim(text, base64Alphabet) != "" {
			return b.String()
		}
		s.next()
		if text == "" {
			return b.String()
		}
		b.WriteString(text)
	}
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

// cutValue splits at the first colon that no quotes enclose; quotes are not of
// this format and are taken where they come in pairs.
func cutValue(text string) (head, value string, found bool) {
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return text, "", false
	}
	if quote := strings.IndexByte(text[:colon], '"'); quote >= 0 {
		quoted := false
		for i := 0; i < len(text); i++ {
			switch {
			case text[i] == '"':
				quoted = !quoted
			case text[i] == ':' && !quoted:
				return text[:i], text[i+1:], true
			}
		}
	}
	return text[:colon], text[colon+1:], true
}

func (l *line) setHead(head string) {
	for i, part := range split(head, ';') {
		if i == 0 {
			if dot := strings.LastIndexByte(part, '.'); dot >= 0 { // a group prefix
				part = part[dot+1:]
			}
			l.name = strings.ToUpper(strings.TrimSpace(part))
			continue
		}
		name, value, found := strings.Cut(part, "=")
		name, value = strings.ToUpper(strings.TrimSpace(name)), strings.Trim(strings.TrimSpace(value), `"`)
		if !found {
			value = name
			if name = bareParameters[value]; name == "" {
				name = "TYPE"
			}
		}
		if name != "" && value != "" && utf8.ValidString(value) {
			l.params = append(l.params, parameter{name, value})
		}
	}
}

// split divides at a separator; a backslash before the separator makes it part
// of the text (v§2.1.3), and before anything else it is an ordinary character.
func split(s string, sep byte) []string {
	var list []string
	for {
		i := 0
		for i < len(s) && s[i] != sep {
			if s[i] == '\\' && i+1 < len(s) && s[i+1] == sep {
				i++
			}
			i++
		}
		list = append(list, strings.ReplaceAll(s[:i], `\`+string(sep), string(sep)))
		if i == len(s) {
			return list
		}
		s = s[i+1:]
	}
}

// fields are the parts of a compound value, without blanks around them.
func fields(s string) []string {
	list := split(s, ';')
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// items are the parts of a list that say something.
func items(s string) []string {
	var list []string
	for _, f := range fields(s) {
		if f != "" {
			list = append(list, f)
		}
	}
	return list
}

// unquote decodes quoted-printable (RFC 1521 5.1) with hexadecimal digits in
// lower case or single; what is no code stays.
func unquote(s string) string {
	if strings.IndexByte(s, '=') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '=' {
			b = append(b, s[i])
			continue
		}
		if i+2 < len(s) {
			if high, low := hex(s[i+1]), hex(s[i+2]); high >= 0 && low >= 0 {
				b = append(b, byte(high<<4|low))
				i += 2
				continue
			}
		}
		// "=d=a" for a line break
		if i+1 < len(s) && (i+2 == len(s) || s[i+2] == '=') && (hex(s[i+1]) == 0xa || hex(s[i+1]) == 0xd) {
			b = append(b, byte(hex(s[i+1])))
			i++
			continue
		}
		b = append(b, '=')
	}
	return string(b)
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func decodeBase64(s string) []byte {
	s = strings.TrimRight(s, "=")
	data, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return data
}

// decodeCharset gives UTF-8. Without a name that is known, what is valid UTF-8
// is taken for it and everything else for windows-1252.
func decodeCharset(s, charset string) string {
	ascii := true
	for i := 0; i < len(s) && ascii; i++ {
		ascii = s[i] < utf8.RuneSelf && s[i] != 0x1b // ISO-2022 shifts with escapes
	}
	if ascii && !strings.HasPrefix(strings.ToLower(charset), "utf-16") && !strings.EqualFold(charset, "utf-7") {
		return s
	}
	if charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		if encoding, err := htmlindex.Get(charset); err == nil {
			if text, err := encoding.NewDecoder().String(s); err == nil {
				return text
			}
		}
	}
	if utf8.ValidString(s) {
		return s
	}
	windows, err := htmlindex.Get("windows-1252")
	if err == nil {
		if text, err := windows.NewDecoder().String(s); err == nil {
			return text
		}
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// plain ends lines with \n and leaves out control characters, which no text
// may have (RFC 5545 3.1).
func plain(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r < ' ' && r != '\t' && r != '\n', r == 0x7f:
			return -1
		}
		return r
	}, s)
}
