package jcal

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/convene-cal/convene/ical/internal/typed"
)

// separator is what stands between the values of the property at hand.
func (p *parser) separator() byte {
	switch string(p.out.Name()) {
	case "GEO", "REQUEST-STATUS": // as one array (3.4.1), or spread
		return ';'
	}
	return ','
}

// value reads one value of a property (3.6). A structured one (3.4.1) is an
// array; its elements may be lists.
func (p *parser) value(typ string, depth int) error {
	switch p.Peek() {
	case '"':
		s, err := p.Str("a value")
		if err != nil {
			return err
		}
		if typ == "text" && depth == 0 && string(p.out.Name()) == "REQUEST-STATUS" {
			p.out.Escaped(s, ';') // the whole as one string: its semicolons separate
		} else {
			p.out.Scalar(typ, s)
		}
		return nil
	case '{':
		return p.rule()
	case '[':
		if depth == 2 {
			return p.In.Fault("arrays nested too deep in a value")
		}
		p.In.At++
		by := byte(';')
		switch {
		case depth == 1:
			by = ','
		case typ == "period":
			by, typ = '/', "date-time" // 3.6.9; a duration is taken as it stands
		}
		for n := 0; p.Peek() != ']'; n++ {
			if n > 0 {
				p.out.Raw([]byte{by})
			}
			if err := p.value(typ, depth+1); err != nil {
				return err
			}
			if err := p.comma(); err != nil {
				return err
			}
			if err := p.short(); err != nil {
				return err
			}
		}
		p.In.At++
		return nil
	}
	s, number, err := p.Literal()
	if err != nil {
		return err
	}
	if number {
		if s, err = p.decimal(s, typ == "integer"); err != nil {
			return err
		}
	}
	p.out.Scalar(typ, s)
	return nil
}

// decimal writes a JSON number as RFC 5545 3.3.7 and 3.3.8 do: without an
// exponent, and an INTEGER without a fraction.
func (p *parser) decimal(s []byte, integer bool) ([]byte, error) {
	if !bytes.ContainsAny(s, "eE") && (!integer || bytes.IndexByte(s, '.') < 0) {
		return s, nil
	}
	f, err := strconv.ParseFloat(string(s), 64)
	if err != nil {
		return nil, p.In.Fault("the number %s is too large", clip(s))
	}
	if integer && (f != math.Trunc(f) || math.Abs(f) > math.MaxInt32) {
		return nil, p.In.Fault("%s is not an integer of 32 bits", clip(s))
	}
	return strconv.AppendFloat(nil, f, 'f', -1, 64), nil
}

// rule reads a RECUR (3.6.10). FREQ is written first, as RFC 5545 3.3.10 asks
// for the sake of old readers.
func (p *parser) rule() error {
	p.In.At++
	p.freq, p.rest = p.freq[:0], p.rest[:0]
	for first := true; p.Peek() != '}'; first = false {
		if !first {
			if err := p.Expect(',', "a comma or the end of the rule"); err != nil {
				return err
			}
		}
		if err := p.shortRule(); err != nil {
			return err
		}
		key, err := p.Str("the name of a rule part")
		if err != nil {
			return err
		}
		if !typed.ValidName(key) {
			return p.In.Fault("%q cannot be the name of a rule part", clip(key))
		}
		part := &p.rest
		if bytes.EqualFold(key, []byte("FREQ")) && len(p.freq) == 0 {
			part = &p.freq
		}
		*part = append(*part, ';')
		*part = append(*part, bytes.ToUpper(key)...)
		*part = append(*part, '=')
		if err := p.Expect(':', "a colon"); err != nil {
			return err
		}
		if p.Peek() != '[' {
			if err := p.ruleValue(part); err != nil {
				return err
			}
			continue
		}
		p.In.At++
		for n := 0; p.Peek() != ']'; n++ {
			if n > 0 {
				*part = append(*part, ',')
			}
			if err := p.ruleValue(part); err != nil {
				return err
			}
			if err := p.comma(); err != nil {
				return err
			}
			if err := p.shortRule(); err != nil {
				return err
			}
		}
		p.In.At++
	}
	p.In.At++
	p.freq = append(p.freq, p.rest...)
	p.out.Raw(bytes.TrimPrefix(p.freq, []byte{';'}))
	return nil
}

func (p *parser) shortRule() error {
	if len(p.freq)+len(p.rest) > p.Length {
		return p.In.Limit(fmt.Sprintf("a rule of more than %d octets", p.Length))
	}
	return nil
}

func (p *parser) ruleValue(part *[]byte) error {
	if p.Peek() == '"' {
		s, err := p.Str("a value")
		if err != nil {
			return err
		}
		if bytes.IndexByte(s, ';') >= 0 {
			return p.In.Fault("a semicolon in a rule part")
		}
		*part = typed.AppendBasic(*part, s)
		return nil
	}
	s, number, err := p.Literal()
	if err == nil && number {
		s, err = p.decimal(s, true)
	}
	*part = append(*part, s...)
	return err
}
