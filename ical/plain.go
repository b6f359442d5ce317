package ical

import "strings"

// Almost every line of almost every file is plain: its name stands first, in
// upper case; it ends with LF or CRLF; the lines that continue it start with a
// blank and the next one with a name; there is nothing to repair in it. What
// is here takes such lines and nothing else, with as few branches as it can.
// Whatever is odd is left to parser.read and parser.property, which know
// everything: TestPlainLinesReadAlike holds the two together.

// plain takes lines from p.at on as long as they are plain. It tells whether
// one of them closed the VCALENDAR.
func (p *parser) plain(c *Calendar) (done bool, err error) {
	if p.careful || p.cr || p.indent != "" || p.aside != 0 {
		return false, nil
	}
	s := p.s
	at := p.at
	n, role := lineName(s, at)
	for n > 0 && role != roleOdd && !done {
		// The end of the physical line.
		lf := strings.IndexByte(s[at:], '\n')
		if lf < 0 {
			break
		}
		to := at + lf
		next, lines, octets := to+1, 1, 0
		if s[to-1] == '\r' {
			to, p.crlf = to-1, true
			if s[to-1] == '\r' {
				break
			}
		}

		// What follows: the end, a fold, or a line that starts with a name.
		text, folded := s[at:to], false
		following, followingRole := 0, roleNone
		if next < len(s) {
			if s[next] == ' ' || s[next] == '\t' {
				if role >= roleBegin {
					break
				}
				if to, next, lines, octets = p.folds(at, to, next); next == 0 || octets > p.limits.LineLength {
					break
				}
				folded = true
			}
			if following, followingRole = lineName(s, next); following == 0 && next < len(s) {
				break
			}
			if text[len(text)-1] == '=' { // quoted-printable may go on
				break
			}
			if folded {
				text = p.unfolded(s[at:to], octets)
			}
		}
		if len(text) > p.limits.LineLength {
			break
		}

		switch role {
		case roleBegin:
			name, role := componentNamed(text, n)
			if role == roleNone || role == roleCalendar && p.depth > 0 {
				return false, nil
			}
			if err := p.open(c, at, next, p.line, name, role); err != nil {
				return false, err
			}
		case roleEnd:
			name, role := componentNamed(text, n)
			if role == roleNone {
				return false, nil
			}
			if done = p.end(at, next, p.line, name, role); p.aside > 0 {
				following = 0
			}
		default:
			value := plainValue(text, n, role)
			if value == 0 {
				l := content{from: at, start: at, to: to, next: next, line: p.line, text: text, name: n, joined: folded}
				if err := p.property(&l); err != nil {
					return false, err
				}
				break
			}
			if err := p.count(p.line); err != nil {
				return false, err
			}
			q := p.newProperty()
			q.line = uint32(p.line)
			q.raw, q.eol = s[at:next], uint8(next-to)
			q.name, q.value = uint16(n), uint32(value)
			if folded {
				q.own = p.keep(text)
			}
			p.add(q)
		}
		p.at, p.line = next, p.line+lines
		at, n, role = next, following, followingRole
	}
	return done, nil
}

// lineName is the length of the name that starts the line at i, 0 if none
// does, and its role: roleOdd when it has lower-case letters.
func lineName(s string, i int) (n int, r role) {
	if i+maxWord <= len(s) {
		w := word{lo: eight(s[i:])}
		if m := colons(w.lo); m != 0 {
			n, w.lo = first(m), before(w.lo, m)
		} else {
			w.hi = eight(s[i+8:])
			m := colons(w.hi)
			if m == 0 {
				return spelledName(s, i)
			}
			n, w.hi = 8+first(m), before(w.hi, m)
		}
		if k := &knownNames[w.hash()]; k.word == w && int(k.length) == n {
			return n, k.role
		}
	}
	return spelledName(s, i)
}

// spelledName is lineName for names that are not in the table.
func spelledName(s string, i int) (n int, r role) {
	rest := s[i:min(i+maxName, len(s))]
	lower := false
	for n < len(rest) && nameChar[rest[n]] {
		lower = lower || rest[n] >= 'a'
		n++
	}
	switch {
	case n == 0 || n == len(rest) || rest[n] != ':' && rest[n] != ';' || isURL(rest, n):
		return 0, roleNone
	case lower:
		return n, roleOdd
	}
	return n, roleOf(rest[:n])
}

// folds finds the lines that continue the one from at to to: each starts with
// a blank. It gives where the last ends and the next line starts, how many
// lines there are and how many octets they have joined; next is 0 when there
// is something odd.
func (p *parser) folds(at, to, next int) (end, after, lines, octets int) {
	s := p.s
	octets, lines = to-at, 1
	for next < len(s) && (s[next] == ' ' || s[next] == '\t') {
		from := next + 1
		lf := strings.IndexByte(s[from:], '\n')
		if lf < 0 {
			return 0, 0, 0, 0
		}
		to = from + lf
		next = to + 1
		if s[to-1] == '\r' {
			to, p.crlf = to-1, true
			if s[to-1] == '\r' {
				return 0, 0, 0, 0
			}
		}
		octets += to - from
		lines++
	}
	return to, next, lines, octets
}

// unfolded joins what folds has found: text is its octets without the last
// line end.
func (a *arena) unfolded(text string, octets int) string {
	a.grow(octets)
	begin := a.text.Len()
	for {
		lf := strings.IndexByte(text, '\n')
		if lf < 0 {
			a.text.WriteString(text)
			return a.text.String()[begin:]
		}
		to := lf
		if to > 0 && text[to-1] == '\r' {
			to--
		}
		a.text.WriteString(text[:to])
		text = text[lf+len("\n "):]
	}
}

// componentNamed is the name and role of the component that a BEGIN or END
// line names; roleNone if there is anything odd about it.
func componentNamed(text string, n int) (string, role) {
	name := text[n+1:]
	if text[n] != ':' || len(name) > maxWord {
		return "", roleNone
	}
	w := wordOf(name)
	r := w.role(len(name))
	if r < roleTop || r > roleCalendar {
		return "", roleNone
	}
	return knownSpelling[w.hash()], r
}

// plainValue is where the value of a line starts that has nothing to repair,
// else 0.
func plainValue(text string, n int, r role) int {
	value := n + 1
	if text[n] == ';' {
		if r == roleAddress {
			value = afterPersonParams(text, n)
		} else {
			value = afterParams(text, n)
		}
		if value == 0 {
			return 0
		}
	}
	v := text[value:]
	fine := true
	switch r {
	case roleNone:
	case roleStamp:
		fine = formOf(v) == formUTC
	case roleDate:
		switch params := text[n : value-1]; formOf(v) {
		case formUTC:
			fine = params == ""
		case formLocal:
			fine = params == "" || strings.HasPrefix(params, ";TZID=") && strings.IndexByte(params[1:], ';') < 0
		case formDate:
			fine = params == ";VALUE=DATE"
		default:
			fine = false
		}
	case roleAddress:
		fine = strings.HasPrefix(v, mailto) && plainMailbox(v[len(mailto):])
	case roleEnum:
		fine = isWord(v)
	case roleSequence:
		fine = len(v) < len(maxInteger) && allDigits(v)
	default:
		fine = false
	}
	if !fine {
		return 0
	}
	return value
}

// afterParams is where the value starts behind the parameters from n on: after
// the first colon outside of quotes. It is 0 where quotes do not end.
func afterParams(text string, n int) int {
	i := n
	for i+8 <= len(text) {
		w := eight(text[i:])
		m := zeros(w^':'*ones) | zeros(w^'"'*ones)
		if m == 0 {
			i += 8
			continue
		}
		if i += first(m); text[i] == ':' {
			return i + 1
		}
		end := strings.IndexByte(text[i+1:], '"')
		if end < 0 {
			return 0
		}
		i += end + 2
	}
	for ; i < len(text); i++ {
		switch text[i] {
		case ':':
			return i + 1
		case '"':
			return 0
		}
	}
	return 0
}

// afterPersonParams is afterParams for ATTENDEE and ORGANIZER, 0 when
// addressParams would have something to mend.
func afterPersonParams(text string, n int) int {
	if value := afterKnownParams(text, n); value > 0 {
		return value
	}
	value := afterParams(text, n)
	if value == 0 || oddAddressParams(text[n:value-1]) {
		return 0
	}
	return value
}

// afterKnownParams is afterPersonParams where all parameters are of those that
// ATTENDEE and ORGANIZER usually have, else 0.
func afterKnownParams(text string, n int) int {
	i := n + 1
	for i+maxWord <= len(text) {
		// The name of a parameter, which must be a known one.
		w := word{lo: eight(text[i:])}
		length := 0
		if m := zeros(w.lo ^ '='*ones); m != 0 {
			length, w.lo = first(m), before(w.lo, m)
		} else {
			w.hi = eight(text[i+8:])
			m := zeros(w.hi ^ '='*ones)
			if m == 0 {
				return 0
			}
			length, w.hi = 8+first(m), before(w.hi, m)
		}
		k := &knownNames[w.hash()]
		if k.word != w || int(k.length) != length || k.role < roleParam {
			return 0
		}
		i += length + 1

		// Its value, to the next semicolon or colon.
		from := i
		lower := uint64(0)
		if text[i] == '"' && k.role == roleParam {
			end := strings.IndexByte(text[i+1:], '"')
			if i += end + 2; end < 0 || i == len(text) || text[i]|1 != ';' {
				return 0
			}
		} else {
			for {
				if i+8 > len(text) {
					return 0
				}
				w := eight(text[i:])
				m := colons(w) | zeros(w^'"'*ones)
				if m == 0 {
					lower |= lowers(w)
					i += 8
					continue
				}
				lower |= lowers(before(w, m))
				if i += first(m); text[i] == '"' {
					return 0
				}
				break
			}
		}
		if k.role == roleWordParam && (lower != 0 || i-from <= len("YES")) {
			return 0
		}
		if text[i] == ':' {
			return i + 1
		}
		i++
	}
	return 0
}

// isWord tells a value of upper-case letters and hyphens.
func isWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return s != ""
}
