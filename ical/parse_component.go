package ical

import (
	"fmt"
	"strings"
)

// find looks from p.at on for the line that starts a calendar, and moves
// there. A component of a calendar without its VCALENDAR will do (LEN-01).
func (p *parser) find() (bare, ok bool) {
	at, line := p.at, p.line
	p.indent = ""
	for at < len(p.s) {
		end, next := p.physical(at)
		text := p.s[at:end]
		trimmed := strings.TrimLeft(strings.TrimPrefix(text, bom), " \t")
		if isBegin(trimmed) {
			name := upper(strings.TrimSpace(trimmed[6:]))
			if name == "VCALENDAR" || roleOf(name) == roleTop {
				p.at, p.line = end-len(trimmed), line
				p.indent = strings.TrimPrefix(text[:len(text)-len(trimmed)], bom)
				return name != "VCALENDAR", true
			}
		}
		at, line = next, line+1
	}
	return false, false
}

// calendar reads the next VCALENDAR.
func (p *parser) calendar() (*Calendar, error) {
	prefix := p.at
	bare, ok := true, true
	if !p.inside {
		bare, ok = p.find()
	}
	if !ok {
		return nil, &ParseError{Line: p.line, Column: 1, What: "no line BEGIN:VCALENDAR: this is not an iCalendar object"}
	}
	p.repairs, p.crlf = nil, false
	p.depth = 0
	c := p.newCalendar()
	c.prefix = p.s[prefix:p.at]
	if bare {
		c.Name, c.open, c.line = "VCALENDAR", parsed|noBegin, uint32(p.line)
		if !p.part {
			p.repair(p.line, "LEN-01", "BEGIN:VCALENDAR added")
		}
		p.push(&c.Component)
	}
	firstLine := p.line
	var l content
	for {
		if done, err := p.plain(c); err != nil {
			return nil, err
		} else if done {
			break
		}
		mark, line := len(p.repairs), p.line
		ok, err := p.read(&l)
		if err != nil {
			return nil, err
		}
		if !ok {
			p.at = l.from
			if !bare && !p.part {
				p.repair(p.line, "LEN-01", RepairNoEnd)
			}
			p.closeTo(0)
			break
		}
		if isBegin(l.text) {
			name := upper(strings.TrimSpace(l.text[6:]))
			if name == "VCALENDAR" && p.depth > 0 {
				// The next calendar starts: this one lacks its end.
				p.repairs = p.repairs[:mark]
				p.at, p.line = l.from, line
				if !bare {
					p.repair(l.line, "LEN-01", RepairNoEnd)
				}
				p.closeTo(0)
				break
			}
			if err := p.open(c, l.from, l.next, l.line, name, roleOf(name)); err != nil {
				return nil, err
			}
			continue
		}
		if isEnd(l.text) {
			name := upper(strings.TrimSpace(l.text[4:]))
			if done := p.end(l.from, l.next, l.line, name, roleOf(name)); done {
				break
			}
			continue
		}
		if err := p.property(&l); err != nil {
			return nil, err
		}
	}
	if p.part {
		c.open |= partial
		if c.end == "" {
			c.open |= noEnd
		}
	}
	c.Repairs = p.repairs
	if !p.crlf && (p.cr || p.line > firstLine+1) {
		c.eol = "\n"
		if p.cr {
			c.eol = "\r"
		}
		if !p.inside {
			c.Repairs = append([]Repair{{firstLine, "LEN-01", RepairLineEnds}}, c.Repairs...)
		}
	}
	c.adopt()
	return c, nil
}

// open begins the component of a BEGIN line, whose octets are those between
// from and next.
func (p *parser) open(c *Calendar, from, next, line int, name string, r role) error {
	if p.depth >= p.limits.Depth {
		return &ParseError{line, 1, "BEGIN", fmt.Sprintf("components nested deeper than %d", p.limits.Depth), ErrLimit}
	}
	if p.componentsRead++; p.componentsRead > p.limits.Components {
		return &ParseError{line, 1, "BEGIN", fmt.Sprintf("more than %d components", p.limits.Components), ErrLimit}
	}
	if p.depth == 0 {
		c.Name, c.open, c.line, c.begin = "VCALENDAR", parsed, uint32(line), p.s[from:next]
		p.push(&c.Component)
		return nil
	}
	if r == roleTop && p.depth > 1 {
		// A component that stands only in a VCALENDAR: the one before lacks its end.
		known := true
		for depth := 2; depth <= p.depth; depth++ {
			outer := roleOf(p.nesting.at(depth).Name)
			known = known && (outer == roleTop || outer == roleNested)
		}
		if known {
			p.repair(line, "LEN-01", "END:"+p.nesting.at(2).Name+" missing")
			p.closeTo(1)
		}
	}
	s := p.newComponent()
	s.Name, s.open, s.line, s.begin = name, parsed, uint32(line), p.s[from:next]
	p.push(s)
	return nil
}

// end closes the component that an END line names; done is true when that was
// the VCALENDAR.
func (p *parser) end(from, next, line int, name string, r role) (done bool) {
	depth := p.depth
	for depth > 0 && p.nesting.at(depth).Name != name {
		depth--
	}
	current := p.top()
	switch {
	case depth == 0 && (p.depth == 1 || (r == roleNested) != (roleOf(current.Name) == roleNested)):
		p.repair(line, "LEN-08", "END:"+name+" closes nothing, ignored")
		p.aside = next - from // its octets stay with the next line
		return false
	case depth == 0:
		p.repair(line, "LEN-08", "END:"+name+" taken for END:"+current.Name)
	case depth < p.depth:
		p.repair(line, "LEN-08", "END:"+current.Name+" missing before END:"+name)
		p.closeTo(depth)
	}
	p.top().end = p.s[from:next]
	p.close()
	return p.depth == 0
}

// closeTo closes open components until depth are left; they lacked their END.
func (p *parser) closeTo(depth int) {
	for p.depth > depth {
		p.top().open |= noEnd
		p.close()
	}
}
