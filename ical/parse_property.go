package ical

import (
	"fmt"
	"strings"
)

// property takes a content line that is neither BEGIN nor END.
func (p *parser) property(l *content) error {
	if err := p.count(l.line); err != nil {
		return err
	}
	q := p.newProperty()
	q.line = uint32(l.line)
	q.raw, q.lead, q.eol = p.s[l.from:l.next], uint32(l.start-l.from), uint8(l.next-l.to)
	text := l.text
	value := l.name + 1
	if text[l.name] == ';' {
		colon := strings.IndexByte(text[l.name:], ':')
		if colon >= 0 && strings.IndexByte(text[l.name:l.name+colon], '"') < 0 {
			value = l.name + colon + 1
		} else {
			value, text = p.valueAfterQuotes(l)
			if text != l.text {
				q.flags |= repaired
			}
		}
	}
	text, name, value := p.mend(l, text, value, q)
	if q.flags&repaired != 0 || l.joined {
		q.own = p.keep(text)
	}
	q.name = uint16(name)
	q.value = uint32(value)
	p.add(q)
	return nil
}

// count counts a property against the limit.
func (p *parser) count(line int) error {
	if p.propertiesRead++; p.propertiesRead > p.limits.Properties {
		return &ParseError{line, 1, "", fmt.Sprintf("more than %d properties", p.limits.Properties), ErrLimit}
	}
	return nil
}

// valueAfterQuotes finds the value of a line with quotes in its parameters,
// in linear time. A quote that never ends is dropped, one that closes behind
// the value is put before it, and a line without any colon gets one.
func (p *parser) valueAfterQuotes(l *content) (value int, text string) {
	text = l.text
	open, last := -1, -1
	for i := l.name; i < len(text); i++ {
		switch text[i] {
		case '"':
			if open < 0 {
				open, last = i, i
			} else {
				open = -1
			}
		case ':':
			if open < 0 {
				return i + 1, text
			}
		}
	}
	if open >= 0 {
		p.repair(l.line, "LEN-01", "a quote that does not end was dropped")
		text = text[:open] + text[open+1:]
		if colon := strings.IndexByte(text[open:], ':'); colon >= 0 {
			return open + colon + 1, text
		}
	} else if text[len(text)-1] == '"' {
		// TZID="Zone:20260102T030405" and CN="Ann:mailto:ann@example.com"
		if colon := strings.LastIndexByte(text[last:], ':'); colon > 1 {
			colon += last
			if before := colon - len(mailto); before > last && text[before] == ':' && hasMailto(text[before+1:]) {
				colon = before
			}
			p.repair(l.line, "LEN-01", "a quote that ends behind the value was moved before it")
			return colon + 2, text[:colon] + `":` + text[colon+1:len(text)-1]
		}
	}
	p.repair(l.line, "LEN-01", upper(text[:l.name])+" has no value")
	return len(text) + 1, text + ":"
}

// adopt lets components without UID or SEQUENCE have the ones some senders
// write at the VCALENDAR level (LEN-05).
func (c *Calendar) adopt() {
	for _, name := range [...]string{"UID", "SEQUENCE"} {
		from := c.Prop(name)
		if from == nil {
			continue
		}
		for _, s := range c.Components {
			if s.Name == "VTIMEZONE" || s.Prop(name) != nil {
				continue
			}
			p := NewProperty(name, from.Value())
			p.line = from.line
			p.flags = inherited
			s.Add(p)
			s.read++
			c.Repairs = append(c.Repairs, Repair{from.Line(), "LEN-05", name + " of the VCALENDAR used for its " + s.Name})
		}
	}
}
