package check

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/convene-cal/convene/ical"
)

// The severities of a Finding.
const (
	Error   = "error"
	Warning = "warning"
)

// Finding is one breach.
type Finding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`   // 1-based physical line
	Column   int    `json:"column"` // 1-based, in octets
	Severity string `json:"severity"`
	Rule     string `json:"rule"`    // a short name, the same for the same kind of breach
	Section  string `json:"section"` // where it is written, for example "RFC 5545 3.8.2.4"
	Message  string `json:"message"`
}

// String is the form editors understand: file:line:column: severity: message.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s [%s, %s]", f.File, f.Line, f.Column, f.Severity, f.Message, f.Rule, f.Section)
}

// Options say how to check.
type Options struct {
	File             string      // for Finding.File
	Limits           ical.Limits // for reading; zero fields mean ical.DefaultLimits
	Max              int         // findings for each calendar; 0 means DefaultMax
	ZonesByReference bool        // TZIDs need no VTIMEZONE (RFC 7809 3.1)
}

// DefaultMax is how many findings a calendar gives at most: nobody reads
// more, and a hostile file could have millions.
const DefaultMax = 1000

// Check reports the breaches in a calendar, in line order. Lines are those of
// the input it was read from as long as nothing in it was changed, else those
// of its serialization.
func Check(cal *ical.Calendar, opt Options) []Finding {
	data := cal.Bytes()
	c, err := ical.ParseLimits(data, opt.Limits)
	if err != nil {
		return []Finding{unreadable(err, opt, 0)}
	}
	k := checker{cal: c, opt: opt}
	if was := cal.Line(); was > 0 {
		k.offset = was - c.Line()
	}
	return k.run(data)
}

// Bytes reports the breaches in a file, which may hold several calendars.
func Bytes(data []byte, opt Options) []Finding {
	all, err := ical.ParseAllLimits(data, opt.Limits)
	if err != nil {
		return []Finding{unreadable(err, opt, 0)}
	}
	var list []Finding
	for _, c := range all {
		list = append(list, Check(c, opt)...)
	}
	return list
}

// Reader reports the breaches in a stream of calendars as it is read; memory
// is bounded by the largest calendar. The error is that of r alone, a stream
// that cannot be read as calendars is a Finding.
func Reader(r io.Reader, opt Options, report func(Finding)) error {
	in := ical.NewReaderLimits(r, opt.Limits)
	for {
		c, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if pe := (*ical.ParseError)(nil); errors.As(err, &pe) {
			report(unreadable(err, opt, 0))
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range Check(c, opt) {
			report(f)
		}
	}
}

func unreadable(err error, opt Options, offset int) Finding {
	f := Finding{File: opt.File, Line: 1, Column: 1, Severity: Error, Rule: "unreadable", Section: "RFC 5545 3.4", Message: err.Error()}
	if pe := (*ical.ParseError)(nil); errors.As(err, &pe) {
		f.Line, f.Column, f.Message = pe.Line+offset, pe.Column, pe.What
	}
	return f
}

type checker struct {
	cal    *ical.Calendar
	opt    Options
	offset int // added to line numbers
	found  []Finding
	zones  map[string]bool // TZIDs of the VTIMEZONEs
	method string
}

func (k *checker) run(data []byte) []Finding {
	k.method = k.cal.Method()
	k.octets(data)
	k.collectZones()
	k.component(&k.cal.Component, nil)
	k.objects()
	k.scheduling()
	k.repairs()
	slices.SortStableFunc(k.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return k.found
}

func (k *checker) add(severity string, line, column int, rule, section, format string, args ...any) {
	limit := k.opt.Max
	if limit <= 0 {
		limit = DefaultMax
	}
	if len(k.found) >= limit {
		return
	}
	k.found = append(k.found, Finding{
		File: k.opt.File, Line: max(line+k.offset, 1), Column: max(column, 1), Severity: severity,
		Rule: rule, Section: section, Message: fmt.Sprintf(format, args...),
	})
}

// repairs reports what the lenient reader had to put right in the structure;
// values are judged one by one, and a line that has an error already has said
// enough.
func (k *checker) repairs() {
	wrong := map[int]bool{}
	for _, f := range k.found {
		if f.Severity == Error {
			wrong[f.Line] = true
		}
	}
	for _, r := range k.cal.Repairs {
		if wrong[r.Line+k.offset] {
			continue
		}
		if r.Rule == "LEN-01" && r.What != ical.RepairLineEnds || r.Rule == "LEN-08" && len(r.What) > 4 && r.What[:4] == "END:" {
			k.add(Error, r.Line, 1, "structure", "RFC 5545 3.4", "%s", r.What)
		}
	}
}

// clip shortens what is quoted in a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
