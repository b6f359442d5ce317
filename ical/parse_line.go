package ical

import (
	"fmt"
	"strings"
)

// physical finds the end of the line at i: where its text ends and where the
// next line starts.
func (p *parser) physical(i int) (end, next int) {
	sep := byte('\n')
	if p.cr {
		sep = '\r'
	}
	n := strings.IndexByte(p.s[i:], sep)
	if n < 0 {
		end, next = len(p.s), len(p.s)
	} else {
		end, next = i+n, i+n+1
	}
	if p.cr {
		return end, next
	}
	if end > i && p.s[end-1] == '\r' {
		p.crlf = p.crlf || n >= 0
		for end--; end > i && p.s[end-1] == '\r' && next-end < maxEOL; {
			end--
		}
	}
	return end, next
}

// maxEOL is how many octets a line end may have; CR CR LF is seen in files
// that went through a text-mode copy more than once.
const maxEOL = 8

// content is one unfolded line and where it lies.
type content struct {
	from, start int    // its octets, and where in them the name starts
	to, next    int    // where the text of its last physical line ends, and the next line starts
	line        int    // number of the physical line of the name
	text        string // the logical line
	name        int    // where the name ends in text
	joined      bool   // text is not s[start:to]
}

// nameChar are the octets of a name: RFC 5545 3.1 allows letters, digits and
// the hyphen; underscore, dot and slash are seen in vendors' own names.
var nameChar = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c], t[c+'a'-'A'] = true, true
	}
	t['-'], t['_'], t['.'], t['/'] = true, true, true, true
	return t
}()

// nameEnd gives the length of the name that starts s and is followed by a
// colon or semicolon, 0 if there is none. The scheme of a URL is no name.
func nameEnd(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if nameChar[c] {
			continue
		}
		if (c == ':' || c == ';') && i <= maxName && !isURL(s, i) {
			return i
		}
		return 0
	}
	return 0
}

// isURL tells a line of a text that starts with a URL from a property.
func isURL(s string, colon int) bool {
	return (colon == 4 || colon == 5) && strings.HasPrefix(s[colon:], "://") && (s[:colon] == "http" || s[:colon] == "https")
}

// begin skips the indentation that the whole object has.
func (p *parser) begin(i int) int {
	if p.indent != "" && strings.HasPrefix(p.s[i:], p.indent) {
		i += len(p.indent)
	}
	return i
}

// read takes the next content line; ok is false at the end of the input.
// Lines before it that nobody can read stay with its octets.
func (p *parser) read(l *content) (ok bool, err error) {
	l.from = p.at - p.aside
	p.aside = 0
	for i := p.at; ; i = l.next {
		if i >= len(p.s) {
			return false, nil
		}
		l.start, l.line, l.joined = p.begin(i), p.line, false
		l.to, l.next = p.physical(l.start)
		p.line++
		l.text = p.s[l.start:l.to]
		if l.start == p.peekAt && p.peeked > 0 {
			l.name = p.peeked
			break
		}
		if l.name = nameEnd(l.text); l.name > 0 {
			break
		}
		trimmed := strings.TrimLeft(l.text, " \t")
		if trimmed == "" {
			continue
		}
		if p.foldedName(l.text, l.next) {
			mark := len(p.repairs)
			p.unfold(l)
			if l.name = nameEnd(l.text); l.name > 0 {
				break
			}
			p.repairs = p.repairs[:mark]
		}
		if n := nameEnd(trimmed); n > 0 && len(trimmed) < len(l.text) {
			p.repair(l.line, "LEN-01", "indentation before a property removed")
			l.start, l.text, l.name = l.to-len(trimmed), trimmed, n
			break
		}
		p.repair(l.line, "LEN-01", "a line that is no property was set aside")
	}
	if l.joined {
		// unfolded already
	} else if l.next < len(p.s) && !p.plainStart(l.next) || l.to > l.start && p.s[l.to-1] == '=' {
		p.unfold(l)
	}
	if len(l.text) > p.limits.LineLength {
		return false, &ParseError{l.line, 1, upper(l.text[:l.name]),
			fmt.Sprintf("the line has more than %d octets", p.limits.LineLength), ErrLimit}
	}
	p.at = l.next
	return true, nil
}

// foldedName tells whether text, with the folded lines from next on, starts a
// property: a fold may stand anywhere, inside the name too (RFC 5545 3.1).
func (p *parser) foldedName(text string, next int) bool {
	if !onlyName(text) {
		return false
	}
	for n := len(text); next < len(p.s) && n <= maxName; {
		b := p.begin(next)
		end, after := p.physical(b)
		if end == b && after < len(p.s) {
			// A blank line too much (LEN-01), where what follows is clearly not a line of its own.
			b = p.begin(after)
			if end, after = p.physical(b); end-b < 2 || p.s[b+1] != ':' && p.s[b+1] != ';' {
				return false
			}
		}
		if b >= len(p.s) || p.s[b] != ' ' && p.s[b] != '\t' {
			return false
		}
		next = after
		for _, c := range []byte(p.s[b+1 : max(end, b+1)]) {
			if !nameChar[c] {
				return c == ':' || c == ';'
			}
			n++
		}
	}
	return false
}

func onlyName(text string) bool {
	for i := 0; i < len(text); i++ {
		if !nameChar[text[i]] {
			return false
		}
	}
	return true
}

// plainStart tells that the line at i starts a property, and keeps the length
// of its name for read.
func (p *parser) plainStart(i int) bool {
	at := p.begin(i)
	rest := p.s[at:min(at+maxName, len(p.s))]
	n := 0
	for n < len(rest) && nameChar[rest[n]] {
		n++
	}
	if n == 0 || n == len(rest) || rest[n] != ';' && rest[n] != ':' || isURL(rest, n) {
		return false
	}
	p.peekAt, p.peeked = at, n
	return true
}

// part is a stretch of the input that continues a line.
type part struct {
	from, to int
	newline  bool // a raw line break stood before it
}

// foldedAt is the length from which a line whose continuation lacks the blank
// is taken for a fold rather than for a text with a raw line break.
const foldedAt = 70

// unfold joins the lines that continue the one in l (RFC 5545 3.1): those
// that start with a blank, and leniently (LEN-01) those that cannot be a
// property: a fold that lost its blank, or a raw line break in a text.
func (p *parser) unfold(l *content) {
	structural := isBegin(l.text) || isEnd(l.text)
	quoted := quotedPrintable(l.text) // vCalendar 1.0: "=" at the end continues the line
	p.parts = append(p.parts[:0], part{l.start, l.to, false})
	total := l.to - l.start
	for l.next < len(p.s) && total <= p.limits.LineLength {
		last := &p.parts[len(p.parts)-1]
		lines, i := 1, p.begin(l.next)
		end, next := p.physical(i)
		soft := quoted && last.to > last.from && p.s[last.to-1] == '=' && !isBegin(p.s[i:end]) && !isEnd(p.s[i:end])
		if soft {
			last.to--
			total--
			p.parts = append(p.parts, part{i, end, false})
			total += end - i
			l.to, l.next = end, next
			p.line++
			continue
		}
		blank := i == end
		for i == end && next < len(p.s) { // blank lines may stand inside a folded line
			i = p.begin(next)
			end, next = p.physical(i)
			lines++
		}
		if i == end {
			break
		}
		text := p.s[i:end]
		add := part{i, end, false}
		switch {
		case text[0] == ' ' || text[0] == '\t':
			if structural && nameEnd(strings.TrimLeft(text, " \t")) > 0 || blank && strings.TrimLeft(text, " \t") == "" {
				add.to = -1
				break
			}
			add.from++
			if blank {
				p.repair(p.line, "LEN-01", "blank line inside a folded line removed")
			}
		case structural || nameEnd(text) > 0 || p.foldedName(text, next):
			add.to = -1
		default:
			add.newline = blank || last.to-last.from < foldedAt
			if def, known := LookupProperty(upper(l.text[:l.name])); add.newline && known && !def.Allows(Text) {
				add.to = -1 // only a text has line breaks
				break
			}
			p.repair(p.line, "LEN-01", "a line that is no property was joined to the one before")
		}
		if add.to < 0 {
			break
		}
		p.parts = append(p.parts, add)
		total += add.to - add.from
		if add.newline {
			total += len(`\n`)
		}
		l.to, l.next = end, next
		p.line += lines
	}
	if len(p.parts) == 1 {
		return
	}
	l.text, l.joined = p.join(), true
	if n := nameEnd(l.text); n > 0 {
		l.name = n
	}
}

// join puts the parts of a line together.
func (p *parser) join() string {
	total := 0
	for _, q := range p.parts {
		total += q.to - q.from
		if q.newline {
			total += len(`\n`)
		}
	}
	p.grow(total)
	begin := p.text.Len()
	for _, q := range p.parts {
		if q.newline {
			p.text.WriteString(`\n`)
		}
		p.text.WriteString(p.s[q.from:q.to])
	}
	return p.text.String()[begin:]
}

func quotedPrintable(text string) bool {
	if !strings.HasSuffix(text, "=") {
		return false
	}
	params, _, _ := strings.Cut(text, ":")
	return strings.Contains(upper(params), "QUOTED-PRINTABLE")
}

func isBegin(text string) bool {
	return len(text) > 6 && text[5] == ':' && equalFold(text[:6], "BEGIN:") && strings.TrimSpace(text[6:]) != ""
}

func isEnd(text string) bool {
	return len(text) > 4 && text[3] == ':' && equalFold(text[:4], "END:") && strings.TrimSpace(text[4:]) != ""
}
