package ical

import (
	"fmt"
	"math"
	"strings"
)

// Parse reads the first VCALENDAR of data, leniently: what real systems get
// wrong is put right and recorded in Repairs. All of data, also what lies
// around the VCALENDAR, is kept for Bytes. The error is a *ParseError.
func Parse(data []byte) (*Calendar, error) { return ParseLimits(data, DefaultLimits) }

// ParseLimits is Parse with other limits.
func ParseLimits(data []byte, l Limits) (*Calendar, error) {
	var p parser
	if err := p.init(data, l); err != nil {
		return nil, err
	}
	c, err := p.calendar()
	if err != nil {
		return nil, err
	}
	c.trailer = p.s[p.at:]
	if strings.TrimSpace(c.trailer) != "" {
		c.Repairs = append(c.Repairs, Repair{p.line, "LEN-01", "text after END:VCALENDAR was set aside"})
	}
	return c, nil
}

// ParseAll reads a stream of VCALENDARs. Joining the Bytes of all gives data.
func ParseAll(data []byte) ([]*Calendar, error) { return ParseAllLimits(data, DefaultLimits) }

// ParseAllLimits is ParseAll with other limits, which hold for all together.
func ParseAllLimits(data []byte, l Limits) ([]*Calendar, error) {
	var p parser
	if err := p.init(data, l); err != nil {
		return nil, err
	}
	var list []*Calendar
	for {
		c, err := p.calendar()
		if err != nil {
			return nil, err
		}
		list = append(list, c)
		at, line := p.at, p.line
		if _, ok := p.find(); !ok {
			c.trailer = p.s[p.at:]
			return list, nil
		}
		p.at, p.line = at, line
	}
}

// parser goes over the input once. Lines are stretches of s; only folded ones
// are copied.
type parser struct {
	s      string
	at     int // start of the next physical line
	line   int // its number
	limits Limits
	cr     bool // the input knows no LF: CR ends lines
	crlf   bool // a line ended with CRLF
	indent string
	peekAt int // where plainStart last found a property, and how long its name is
	peeked int

	propertiesRead, componentsRead int
	arena
	nesting
	parts []part

	part    bool // reads a part of a calendar (Reader.NextPart)
	careful bool // takes no line for plain: what tests compare with
	inside  bool // and that does not start with BEGIN:VCALENDAR
	aside   int  // octets before p.at that belong to the next line
	repairs []Repair
}

func newParser(data []byte, l Limits) (*parser, error) {
	p := &parser{}
	return p, p.init(data, l)
}

func (p *parser) init(data []byte, l Limits) error {
	l = l.orDefault()
	if len(data) > l.Size || len(data) > math.MaxUint32 {
		return &ParseError{Line: 1, Column: 1, What: fmt.Sprintf("%d octets, %d are allowed", len(data), l.Size), Err: ErrLimit}
	}
	p.limits, p.line = l, 1
	p.s = p.arena.init(data)
	p.cr = strings.IndexByte(p.s, '\n') < 0 && strings.IndexByte(p.s, '\r') >= 0
	return nil
}

func (p *parser) repair(line int, rule, what string) {
	p.repairs = append(p.repairs, Repair{line, rule, what})
}

const bom = "\ufeff"
