package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/jscal"
	"github.com/convene-cal/convene/ical/vcal1"
	"github.com/convene-cal/convene/ical/xcal"
)

// calendarWriter takes calendars part by part; Close after the last.
type calendarWriter interface {
	ical.PartWriter
	io.Closer
}

// format is a syntax of calendars.
type format struct {
	name string
	// is tells from the beginning of a text, without byte order mark and white
	// space, whether it has this syntax. The first format of the table that
	// says yes reads it.
	is func(head []byte) bool
	// read and write tell what the other syntax has no words for.
	read func(r io.Reader, lost lost, do func(*ical.Reader) error) error
	// write is told whether there are several calendars.
	write func(w io.Writer, several bool, lost lost) calendarWriter
}

// lost takes a sentence about something that a conversion could not keep.
type lost func(sentence string)

// lost tells a person what a conversion could not keep.
func (e *env) lost(sentence string) { fmt.Fprintln(forPeople(e.Err), sentence) }

// formats are the syntaxes that convert and export know.
var formats = []format{
	{"jscalendar", isJSCalendar, converted(func(w io.Writer, r io.Reader) ([]jscal.Loss, error) {
		return jscal.ToICalendar(w, r, jscal.Options{Sorter: spilled})
	}), func(w io.Writer, several bool, lost lost) calendarWriter {
		j := jscal.NewWriter(w)
		j.Array, j.Sorter = several, spilled
		return lossyWriter[jscal.Loss]{j, lost}
	}},
	{"jcal", startsWith("["), streamed(jcal.NewReader), func(w io.Writer, several bool, _ lost) calendarWriter {
		j := jcal.NewWriter(w)
		j.Array = several
		return j
	}},
	{"xcal", startsWith("<"), streamed(xcal.NewReader), func(w io.Writer, _ bool, _ lost) calendarWriter { return xcal.NewWriter(w) }},
	{"vcs", vcal1.Detect, converted(func(w io.Writer, r io.Reader) ([]vcal1.Loss, error) {
		return vcal1.ToICalendar(w, r, vcal1.Options{Sorter: spilled})
	}), func(w io.Writer, _ bool, lost lost) calendarWriter {
		v := vcal1.NewWriter(w)
		v.Sorter = spilled
		return lossyWriter[vcal1.Loss]{v, lost}
	}},
	{"ics", startsWith(""), streamed(ical.NewReader), func(w io.Writer, _ bool, _ lost) calendarWriter { return &icsWriter{w: w} }}, // the lenient reader judges the rest
}

// streamed reads what can be read as it comes.
func streamed(read func(io.Reader) *ical.Reader) func(io.Reader, lost, func(*ical.Reader) error) error {
	return func(r io.Reader, _ lost, do func(*ical.Reader) error) error { return do(read(r)) }
}

// converted reads what another package writes as iCalendar, by way of a
// temporary file.
func converted[L fmt.Stringer](convert func(io.Writer, io.Reader) ([]L, error)) func(io.Reader, lost, func(*ical.Reader) error) error {
	return func(r io.Reader, lost lost, do func(*ical.Reader) error) error {
		f, err := temporary("convert")
		if err != nil {
			return err
		}
		defer f.Close()
		losses, err := convert(f, r)
		for _, l := range losses {
			lost(l.String())
		}
		if err != nil {
			return err
		}
		return readAgain(f, do)
	}
}

// lossyWriter tells at the end what a writer could not keep.
type lossyWriter[L fmt.Stringer] struct {
	lossy[L]
	lost lost
}

type lossy[L any] interface {
	calendarWriter
	Losses() []L
}

func (w lossyWriter[L]) Close() error {
	for _, l := range w.Losses() {
		w.lost(l.String())
	}
	return w.lossy.Close()
}

func startsWith(prefix string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(prefix)) }
}

// isJSCalendar tells an object, or an array of them, from jCal, whose arrays
// begin with a name.
func isJSCalendar(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("[")), " \t\r\n"), []byte("{"))
}

func formatNamed(name string) (format, error) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		var names []string
		for _, f := range formats {
			names = append(names, f.name)
		}
		slices.Sort(names)
		return format{}, usagef("%q is not a format; write one of %s", name, strings.Join(names, ", "))
	}
	return formats[i], nil
}

// sniffLength is how much of a text is looked at for its syntax.
const sniffLength = 4096

// readCalendars finds out the syntax of a text and reads it.
func readCalendars(r io.Reader, lost lost, do func(*ical.Reader) error) error {
	b := bufio.NewReaderSize(r, sniffLength)
	head, err := b.Peek(sniffLength)
	if err != nil && err != io.EOF {
		return err
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	for _, f := range formats {
		if f.is(head) {
			return f.read(b, lost, do)
		}
	}
	return errors.New("the syntax is not known")
}

// icsWriter writes strict iCalendar.
type icsWriter struct{ w io.Writer }

const (
	icsBegin = "BEGIN:VCALENDAR\r\n"
	icsEnd   = "END:VCALENDAR\r\n"
)

func (w *icsWriter) Begin(properties []*ical.Property) error {
	cal := ical.Calendar{Component: ical.Component{Name: "VCALENDAR", Properties: properties}}
	cal.Normalize()
	_, err := w.w.Write(bytes.TrimSuffix(cal.Bytes(), []byte(icsEnd)))
	return err
}

func (w *icsWriter) Component(c *ical.Component) error {
	cal := ical.Calendar{Component: ical.Component{Name: "VCALENDAR", Components: []*ical.Component{c}}}
	cal.Normalize()
	_, err := w.w.Write(c.Bytes())
	return err
}

func (w *icsWriter) End() error {
	_, err := io.WriteString(w.w, icsEnd)
	return err
}

func (w *icsWriter) Close() error { return nil }

type icalConvert struct {
	To     string   `required:"" help:"ics, jcal, xcal, jscalendar or vcs (vCalendar 1.0)." placeholder:"FORMAT"`
	Files  []string `arg:"" name:"file" help:"Files, directories, or - for standard input; their syntax is found out."`
	Output string   `short:"o" help:"File to write (default: standard output)." placeholder:"FILE"`
}

func (icalConvert) Help() string {
	return "Files of any size are converted in constant memory: they are read twice, once for what must stand first. " +
		"What must be sorted, and standard input, goes through temporary files (TMPDIR says where). " +
		"What one side has no words for is listed on standard error.\n\nExample: convene ical convert --to jcal team.ics > team.json"
}

func (c icalConvert) Run(e *env) (err error) {
	to, err := formatNamed(c.To)
	if err != nil {
		return err
	}
	if slices.Contains(c.Files, "-") {
		spool, err := spooled(e.In)
		if err != nil {
			return err
		}
		defer spool.Close()
		e.In = spool
	}
	var ahead outline
	if err := c.each(e, e.lost, ahead.read); err != nil {
		return err
	}
	if ahead.calendars == 0 {
		return errors.New("there is no calendar to convert")
	}
	dest := e.Out
	if c.Output != "" {
		if err := c.notAnInput(); err != nil {
			return err
		}
		f, err := os.OpenFile(c.Output, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		dest = f
	}
	out := bufio.NewWriterSize(dest, 1<<16)
	w := to.write(out, ahead.calendars > 1, e.lost)
	told := e.progress("components converted")
	defer told.done()
	if err := c.each(e, func(string) {}, func(r *ical.Reader) error { return copyCalendars(w, r, &ahead, told) }); err != nil {
		return errors.Join(err, out.Flush())
	}
	return errors.Join(w.Close(), out.Flush())
}

// notAnInput refuses to write over what is still to be read.
func (c icalConvert) notAnInput() error {
	out, err := os.Stat(c.Output)
	if err != nil {
		return nil // it does not exist yet, or opening it will tell
	}
	for _, name := range c.Files {
		if in, err := os.Stat(name); err == nil && out.Mode().IsRegular() && os.SameFile(in, out) {
			return usagef("--output %s is also a file to convert; write to another one", c.Output)
		}
	}
	return nil
}

// each reads every input from its beginning.
func (c icalConvert) each(e *env, lost lost, do func(*ical.Reader) error) error {
	if s, ok := e.In.(io.Seeker); ok && slices.Contains(c.Files, "-") {
		if _, err := s.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	return e.eachInput(c.Files, func(name string, r io.Reader) error {
		if err := readCalendars(r, func(sentence string) { lost(name + ": " + sentence) }, do); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// spooled copies what can be read once to a file that can be read again.
func spooled(r io.Reader) (*os.File, error) {
	f, err := temporary("convert")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(f, r); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// temporary makes a file that has no name any more, so that nothing of it is
// left however the process ends.
func temporary(what string) (*os.File, error) {
	f, err := os.CreateTemp("", "convene-"+what+"-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// convertExport writes what export gives in another syntax. A calendar may be
// exported as several VCALENDARs, so their number has to be known first.
func convertExport(e *env, to format, export func(io.Writer) error, dest io.Writer) error {
	f, err := temporary("export")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := export(f); err != nil {
		return err
	}
	var ahead outline
	if err := readAgain(f, ahead.read); err != nil {
		return err
	}
	out := bufio.NewWriterSize(dest, 1<<16)
	w := to.write(out, ahead.calendars > 1, e.lost)
	told := e.progress("components exported")
	defer told.done()
	if err := readAgain(f, func(r *ical.Reader) error { return copyCalendars(w, r, &ahead, told) }); err != nil {
		return err
	}
	return errors.Join(w.Close(), out.Flush())
}

func readAgain(f *os.File, do func(*ical.Reader) error) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return do(ical.NewReader(f))
}

// outline is what has to be known of calendars before the first is written.
type outline struct {
	calendars int
	late      map[int][]*ical.Property // properties that stand after the components, by calendar
	next      int                      // the calendar that copyCalendars comes to
}

func (o *outline) read(r *ical.Reader) error {
	for open := false; ; open = r.Open() {
		part, err := r.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !open {
			o.calendars++
		} else if len(part.Properties) > 0 {
			if o.late == nil {
				o.late = map[int][]*ical.Property{}
			}
			o.late[o.calendars-1] = append(o.late[o.calendars-1], part.Properties...)
		}
	}
}

// copyCalendars writes all calendars of r.
func copyCalendars(w calendarWriter, r *ical.Reader, ahead *outline, told *progress) error {
	var head ical.Head
	for open := false; ; {
		part, err := r.NextPart()
		if err == io.EOF && open { // END:VCALENDAR is missing
			return w.End()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !open {
			head.Properties = append(part.Properties, ahead.late[ahead.next]...)
			err = w.Begin(head.Properties)
			ahead.next++
		}
		for _, c := range part.Components {
			head.Adopt(c)
			if err == nil {
				err = w.Component(c)
			}
			told.add(1)
		}
		if open = r.Open(); !open && err == nil {
			err = w.End()
		}
		if err != nil {
			return err
		}
	}
}
