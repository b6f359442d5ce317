package check

import (
	"bytes"
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
	File             string       // for Finding.File
	Limits           ical.Limits  // for reading; zero fields mean ical.DefaultLimits; Size is that of one component
	Max              int          // errors, and warnings, for each calendar; 0 means DefaultMax
	ZonesByReference bool         // TZIDs need no VTIMEZONE (RFC 7809 3.1)
	Sorter           ical.Sorters // where the UIDs of a calendar are sorted; nil means in memory
}

// DefaultMax is how many errors, and how many warnings, a calendar gives at
// most: nobody reads more, and a hostile file could have millions. A last
// finding tells how many there were besides.
const DefaultMax = 1000

// Check reports the breaches in a calendar, in line order. Lines are those of
// the input it was read from as long as nothing in it was changed, else those
// of its serialization.
func Check(cal *ical.Calendar, opt Options) []Finding {
	data := cal.Bytes()
	data = data[:len(data)-len(cal.Trailer())]
	var list []Finding
	s := stream{opt: opt, begins: cal.Line(), report: func(f Finding) { list = append(list, f) }}
	s.run(ical.NewReaderLimits(bytes.NewReader(data), opt.Limits)) // reading and sorting in memory do not fail
	s.outside([]byte(cal.Trailer()))
	return list
}

// Bytes reports the breaches in a file, which may hold several calendars.
func Bytes(data []byte, opt Options) []Finding {
	var list []Finding
	Reader(bytes.NewReader(data), opt, func(f Finding) { list = append(list, f) })
	return list
}

// Reader reports the breaches in a stream of calendars as it is read, those of
// one calendar in line order at its end. Memory is bounded by the largest
// component of a calendar where Options.Sorter is; without it, what has to be
// compared across a calendar is held too. The error is that of r or of the
// Sorter, a stream that cannot be read as calendars is a Finding.
func Reader(r io.Reader, opt Options, report func(Finding)) error {
	s := stream{opt: opt, report: report}
	return s.run(ical.NewReaderLimits(r, opt.Limits))
}

// stream checks calendars one after the other.
type stream struct {
	opt    Options
	report func(Finding)
	lines  int // line ends so far
	begins int // where the first calendar begins, 0 if that is counted from the stream
	offset int // added to line numbers
}

func (s *stream) run(in *ical.Reader) error {
	var k *checker
	any := false
	for {
		part, err := in.NextPart()
		pe := (*ical.ParseError)(nil)
		if k != nil && (err != nil || !k.open) {
			k.cut = errors.As(err, &pe) && k.open
			if failed := k.finish(s.report); failed != nil {
				return failed
			}
			k = nil
		}
		if err == io.EOF {
			if !any {
				s.report(unreadable(&ical.ParseError{Line: 1, Column: 1, What: "there is no calendar"}, s.opt, s.offset))
			}
			s.outside([]byte(in.Trailer()))
			return nil
		}
		if errors.As(err, &pe) {
			s.report(unreadable(err, s.opt, s.offset))
			return nil
		}
		if err != nil {
			return err
		}
		if k == nil {
			if !any && s.begins > 0 {
				s.offset = s.begins - part.Line()
			}
			k = newChecker(s.opt, s.offset)
		}
		any, k.open = true, in.Open()
		data := part.Bytes()
		if err := k.part(part, data); err != nil {
			return err
		}
		s.lines += bytes.Count(data, []byte{'\n'})
	}
}

// outside reports text after a calendar, which is no calendar.
func (s *stream) outside(text []byte) {
	if len(bytes.TrimSpace(text)) > 0 {
		s.report(Finding{File: s.opt.File, Line: max(s.lines+1+s.offset, 1), Column: 1, Severity: Error, Rule: "text-outside", Section: "RFC 5545 3.4", Message: "text after END:VCALENDAR"})
	}
}

func unreadable(err error, opt Options, offset int) Finding {
	f := Finding{File: opt.File, Line: 1, Column: 1, Severity: Error, Rule: "unreadable", Section: "RFC 5545 3.4", Message: err.Error()}
	if pe := (*ical.ParseError)(nil); errors.As(err, &pe) {
		f.Line, f.Column, f.Message = pe.Line+offset, pe.Column, pe.What
	}
	return f
}

// checker checks one calendar, part by part.
type checker struct {
	opt    Options
	offset int  // added to line numbers
	open   bool // the calendar goes on
	cut    bool // what follows of it cannot be read
	found  []Finding
	count  [2]int // errors and warnings, also those that are not in found

	parts    int
	last     int             // line of the part that came last
	begun    bool            // BEGIN:VCALENDAR is there
	ended    bool            // and its END
	feeds    bool            // line ends without CR were reported
	head     lines           // of the VCALENDAR itself
	children int             // components of the VCALENDAR
	method   string          // upper case
	methodAt int             // its line, 0 without METHOD
	zones    map[string]bool // TZIDs of the VTIMEZONEs so far, up to knownZones
	across   ical.Sorter     // what is compared at the end
	failed   error           // of across
	message  message         // the state of scheduling
}

func newChecker(opt Options, offset int) *checker {
	return &checker{opt: opt, offset: offset, head: newLines(), zones: map[string]bool{}, across: opt.Sorter.New()}
}

// part checks what is written in a part of the calendar.
func (k *checker) part(part *ical.Calendar, data []byte) error {
	mark := len(k.found)
	if k.parts == 0 {
		k.begun = beginsWith(data[len(part.Prefix()):], "BEGIN:VCALENDAR")
		if !k.begun {
			k.add(Error, part.Line(), 1, "structure", "RFC 5545 3.4", "BEGIN:VCALENDAR is missing")
		}
		k.head.line = part.Line()
	}
	k.parts++
	k.last = part.Line()
	k.ended = endsWith(data, "END:VCALENDAR")
	k.octets(part, data)
	k.calendarLines(part)
	for _, c := range part.Components {
		k.children++
		k.component(c, &part.Component)
		if err := k.object(c); err != nil {
			return err
		}
		k.scheduling(c)
	}
	k.repairs(part, mark)
	return nil
}

func beginsWith(data []byte, word string) bool {
	return len(data) >= len(word) && bytes.EqualFold(data[:len(word)], []byte(word))
}

func endsWith(data []byte, word string) bool {
	data = bytes.TrimSpace(data)
	return len(data) >= len(word) && bytes.EqualFold(data[len(data)-len(word):], []byte(word))
}

// finish checks what can only be known at the end and reports everything. Of a
// calendar whose end was not read nobody knows what it lacks.
func (k *checker) finish(report func(Finding)) error {
	judge := k.whole
	if k.cut {
		judge = func() error { return errors.Join(k.failed, ical.CloseSorters(k.across)) }
	}
	if err := judge(); err != nil {
		return err
	}
	slices.SortStableFunc(k.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for _, f := range k.found {
		report(f)
	}
	if errs, warnings := k.count[0]-k.max(), k.count[1]-k.max(); errs > 0 || warnings > 0 {
		severity := Warning
		if errs > 0 {
			severity = Error
		}
		report(Finding{File: k.opt.File, Line: max(k.last+k.offset, 1), Column: 1, Severity: severity, Rule: "more", Section: "RFC 5545 3.4",
			Message: fmt.Sprintf("this calendar has %d more errors and %d more warnings, which are not listed", max(errs, 0), max(warnings, 0))})
	}
	return nil
}

// whole judges what a calendar is as a whole.
func (k *checker) whole() error {
	if k.begun && !k.ended {
		k.add(Error, k.last, 1, "structure", "RFC 5545 3.4", "%s", ical.RepairNoEnd)
	}
	def, _ := ical.LookupComponent("VCALENDAR")
	k.missing(&ical.Component{Name: "VCALENDAR"}, def, &k.head)
	k.messageEnd()
	return k.compare()
}

func (k *checker) max() int {
	if k.opt.Max > 0 {
		return k.opt.Max
	}
	return DefaultMax
}

// counted is where the findings of a severity are counted.
func (k *checker) counted(severity string) *int {
	if severity == Warning {
		return &k.count[1]
	}
	return &k.count[0]
}

func (k *checker) add(severity string, line, column int, rule, section, format string, args ...any) {
	n := k.counted(severity)
	if *n++; *n > k.max() {
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
func (k *checker) repairs(part *ical.Calendar, mark int) {
	if len(part.Repairs) == 0 {
		return
	}
	wrong := map[int]bool{}
	for _, f := range k.found[mark:] {
		if f.Severity == Error {
			wrong[f.Line] = true
		}
	}
	for _, r := range part.Repairs {
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
