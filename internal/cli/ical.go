package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/spill"
)

type icalCommands struct {
	Check   icalCheck   `cmd:"" help:"Report every breach of the standards in calendar files."`
	Fmt     icalFmt     `cmd:"" help:"Write a calendar file with canonical folding, order kept."`
	Expand  icalExpand  `cmd:"" help:"List the occurrences of events and to-dos."`
	Convert icalConvert `cmd:"" help:"Write calendar files in another syntax."`
	Diff    icalDiff    `cmd:"" help:"Compare what two calendar files mean."`
}

// BeforeApply is called by kong for every file tool.
func (icalCommands) BeforeApply() error {
	frugal()
	return nil
}

type icalCheck struct {
	Files  []string `arg:"" name:"file" help:"Files, directories, or - for standard input."`
	JSON   bool     `help:"One JSON object a finding: the same as --format json."`
	Format string   `default:"text" enum:"text,json,github,sarif" help:"text (file:line:column: severity: message, as editors read it), json, github (annotations of a pull request) or sarif (one document)." placeholder:"FORMAT"`
	Max    int      `help:"Errors, and warnings, listed of one calendar (default: 1000)." placeholder:"N"`
}

func (icalCheck) Help() string {
	return "Exit status 1 when there is an error, 0 when there are warnings at most. Files of any size are checked in constant memory. " +
		"Vim reads the text with errorformat=%f:%l:%c:\\ %t%*[^:]:\\ %m, Emacs in a compilation buffer. " +
		"All rules are in docs/check-rules.md.\n\nExample: convene ical check --json calendars/"
}

func (c icalCheck) Run(e *env) error {
	if c.JSON {
		c.Format = "json"
	}
	failed := false
	out := bufio.NewWriter(e.Out)
	defer out.Flush()
	told := e.progress("MB checked")
	defer told.done()
	list := findingWriters[c.Format](out)
	var unwritten error
	write := func(err error) {
		if unwritten == nil {
			unwritten = err
		}
	}
	opt := check.Options{Max: c.Max, Limits: ical.Limits{Size: maxPart}, Sorter: func() ical.Sorter { return &spill.Sorter{} }}
	err := e.eachInput(c.Files, func(name string, r io.Reader) error {
		opt.File = name
		err := check.Reader(told.reading(r), opt, func(f check.Finding) {
			failed = failed || f.Severity == check.Error
			write(list.add(f))
		})
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return errors.Join(err, unwritten)
	})
	write(list.end())
	write(out.Flush())
	if err = errors.Join(err, unwritten); err == nil && failed {
		err = errFailed
	}
	return err
}

// eachCalendar calls do for every VCALENDAR of a stream, and once with the
// error that ended it early.
func eachCalendar(r io.Reader, do func(*ical.Calendar, error) error) error {
	for stream := ical.NewReader(r); ; {
		cal, err := stream.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && parseError(err) == nil {
			return err
		}
		if failed := do(cal, err); failed != nil || err != nil {
			return failed
		}
	}
}

// parseError is the error of an input that is no calendar, nil where reading
// itself failed.
func parseError(err error) error {
	if pe := (*ical.ParseError)(nil); errors.As(err, &pe) {
		return err
	}
	return nil
}

type icalFmt struct {
	File     string `arg:"" help:"A file, or - for standard input."`
	Preserve bool   `help:"Change nothing that is readable: unchanged lines come out octet for octet."`
}

func (icalFmt) Help() string { return "Example: convene ical fmt messy.ics > tidy.ics" }

func (c icalFmt) Run(e *env) error {
	out := bufio.NewWriterSize(e.Out, 1<<16)
	told := e.progress("MB written")
	defer told.done()
	err := e.eachInput([]string{c.File}, func(name string, r io.Reader) error {
		in := ical.NewReaderLimits(told.reading(r), ical.Limits{Size: maxPart})
		w := tidyWriter{w: out}
		for {
			part, err := in.NextPart()
			if err == io.EOF {
				switch {
				case c.Preserve:
					_, err = out.WriteString(in.Trailer())
					return err
				case !w.any:
					return fmt.Errorf("%s: there is no calendar", name)
				}
				return w.end()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if c.Preserve {
				_, err = out.Write(part.Bytes())
			} else {
				err = w.part(part, in.Open())
			}
			if err != nil {
				return err
			}
		}
	})
	return errors.Join(err, out.Flush())
}

// tidyWriter writes the parts of calendars canonically, in their order.
type tidyWriter struct {
	w    io.Writer
	head *ical.Head // of the calendar that goes on
	any  bool       // a calendar was written
}

func (t *tidyWriter) part(part *ical.Calendar, open bool) error {
	first := t.head == nil
	if first {
		t.head, t.any = &ical.Head{}, true
	}
	t.head.Properties = append(t.head.Properties, part.Properties...)
	for _, c := range part.Components {
		t.head.Adopt(c)
	}
	part.Normalize()
	text := part.Bytes()
	if first && !bytes.HasPrefix(text, []byte(icsBegin)) {
		text = append([]byte(icsBegin), text...)
	}
	if !open && bytes.HasSuffix(text, []byte(icsEnd)) {
		open, t.head = true, nil // the end is written
	}
	if _, err := t.w.Write(text); err != nil || open {
		return err
	}
	return t.end()
}

// end ends the calendar that goes on, whether its END is there or not.
func (t *tidyWriter) end() error {
	if t.head == nil {
		return nil
	}
	t.head = nil
	_, err := io.WriteString(t.w, icsEnd)
	return err
}

type icalExpand struct {
	Files []string `arg:"" name:"file" help:"Files, directories, or - for standard input."`
	From  string   `help:"First moment (2027-03-01, 2027-03-01T09:00 or with an offset)." placeholder:"T"`
	To    string   `help:"Moment after the last." placeholder:"T"`
	Limit int      `help:"Most occurrences of one UID (default: 1000 where a series has no end and no --to is given)." placeholder:"N"`
	TZ    string   `name:"tz" help:"Zone of floating times and of --from and --to (default: UTC)." placeholder:"ZONE"`
	Zones string   `type:"existingfile" help:"Zones of your own: a calendar with VTIMEZONEs, or lines such as \"HQ = Europe/Berlin\"." placeholder:"FILE"`
	Start bool     `name:"with-start" help:"Count a start that its own rule does not give as the first occurrence, as the service and many calendar programs do."`
	JSON  bool     `help:"One JSON object an occurrence."`

	own *tz.Own // what Zones says
}

// endlessLimit stops the listing of an endless series that nobody bounded.
const endlessLimit = 1000

func (icalExpand) Help() string {
	return "Example: convene ical expand --from 2027-03-01 --to 2027-04-01 --json team.ics"
}

// occurrence is a line of output.
type occurrence struct {
	UID          string `json:"uid"`
	RecurrenceID string `json:"recurrence-id"`
	Start        string `json:"start"`
	End          string `json:"end"`
	TZID         string `json:"tzid"`
	Summary      string `json:"summary"`
}

func (c icalExpand) Run(e *env) error {
	floating, err := zoneFlag(c.TZ)
	if err != nil {
		return err
	}
	from, err := instantFlag("--from", c.From, floating)
	if err != nil {
		return err
	}
	to, err := instantFlag("--to", c.To, floating)
	if err != nil {
		return err
	}
	if c.Zones != "" {
		data, err := os.ReadFile(c.Zones)
		if err == nil {
			c.own, err = tz.ReadOwn(data)
		}
		if err != nil {
			return usagef("--zones: %v", err)
		}
	}
	out := bufio.NewWriter(e.Out)
	encode := json.NewEncoder(out)
	encode.SetEscapeHTML(false)
	failed := false
	told := e.progress("MB read")
	defer told.done()
	err = e.eachInput(c.Files, func(name string, r io.Reader) error {
		return eachObject(told.reading(r), func(object *ical.Calendar, err error) error {
			var stopped writeError
			where := name
			if err == nil {
				err = c.expand(object, floating, from, to, func(o occurrence) error {
					if c.JSON {
						return asWriteError(encode.Encode(o))
					}
					_, err := fmt.Fprintf(forPeople(out), "%s  %s  %s  %s\n", o.Start, o.End, o.Summary, o.UID)
					return asWriteError(err)
				}, func(sentence string) { fmt.Fprintf(forPeople(e.Err), "%s: UID %s: %s\n", name, object.UID(), sentence) })
				where += ": UID " + object.UID()
			}
			switch {
			case errors.As(err, &stopped):
				return err
			case err != nil: // one broken event does not hide the others
				failed = true
				fmt.Fprintf(forPeople(e.Err), "%s: %v\n", where, err)
			}
			return nil
		})
	})
	if err = errors.Join(err, out.Flush()); err == nil && failed {
		err = errFailed
	}
	return err
}

// writeError is a failure of the output, which ends the work; failures of the
// input do not.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

func asWriteError(err error) error {
	if err != nil {
		err = writeError{err}
	}
	return err
}

func (c icalExpand) expand(cal *ical.Calendar, floating *tz.Zone, from, to time.Time, print func(occurrence) error, warn func(string)) error {
	switch cal.Kind() {
	case "VEVENT", "VTODO", "VJOURNAL":
	default:
		return nil // has no occurrences
	}
	zones := c.own.Resolver(cal, floating)
	set, err := recur.New(cal, zones, recur.Options{StrictStart: !c.Start})
	if err != nil {
		return err
	}
	if set.OddStart() && !c.Start {
		// RFC 5545 3.8.5.3 leaves open what such a series is: the reader should know.
		warn("the start is no occurrence of its own rule and is left out; --with-start counts it")
	}
	limit := c.Limit
	if _, _, endless := set.Bounds(); limit == 0 && endless && to.IsZero() {
		limit = endlessLimit
	}
	n := 0
	for o := range set.Between(from, to) {
		if n++; limit > 0 && n > limit {
			break
		}
		line := occurrence{UID: cal.UID(), Start: stamp(o.Start, zones), End: stamp(o.End, zones), TZID: o.Start.TZID, Summary: o.Component.Text("SUMMARY")}
		if set.Recurring() || o.Override {
			line.RecurrenceID = stamp(o.ID, zones)
		}
		if err := print(line); err != nil {
			return err
		}
	}
	return set.Err()
}

// stamp writes a time as scripts read it: a date for all-day, no offset for
// floating, else RFC 3339 with the zone's offset.
func stamp(t ical.Time, zones *tz.Resolver) string {
	switch {
	case t.IsZero():
		return ""
	case t.Kind == ical.Date:
		return t.Wall.Format(time.DateOnly)
	case t.Kind == ical.Floating:
		return t.Wall.Format("2006-01-02T15:04:05")
	case t.Kind == ical.UTC:
		return t.Wall.Format(time.RFC3339)
	}
	zone, err := zones.Zone(t.TZID)
	if err != nil {
		return t.Wall.Format("2006-01-02T15:04:05")
	}
	// A reading in a gap exists only with the offset from before it, and is
	// printed as the clock shows it then (RFC 5545 3.3.5).
	wall, offset := zone.Wall(zone.Instant(t.Wall))
	return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, time.FixedZone("", offset)).Format(time.RFC3339)
}

func zoneFlag(name string) (*tz.Zone, error) {
	if name == "" {
		return tz.UTC, nil
	}
	zone, err := tz.Load(name)
	if err != nil {
		return nil, usagef("--tz: %q is not a time zone; write a name such as Europe/Berlin", name)
	}
	return zone, nil
}

// flagTimes are the spellings of a moment; those without an offset are read in
// the zone given.
var flagTimes = []struct {
	layout string
	offset bool
}{
	{time.RFC3339, true}, {"2006-01-02T15:04Z07:00", true},
	{"2006-01-02T15:04:05", false}, {"2006-01-02T15:04", false}, {"2006-01-02 15:04", false}, {time.DateOnly, false},
	{"20060102T150405Z", true}, {"20060102T150405", false}, {"20060102", false},
}

// instantFlag reads a moment; empty is the zero time.
func instantFlag(flag, value string, zone *tz.Zone) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	for _, f := range flagTimes {
		t, err := time.Parse(f.layout, value)
		if err != nil {
			continue
		}
		if f.offset {
			return t.UTC(), nil
		}
		return zone.Instant(t), nil
	}
	return time.Time{}, usagef("%s: %q is not a time; write 2027-03-01, 2027-03-01T09:00 or 2027-03-01T09:00:00+01:00", flag, value)
}
