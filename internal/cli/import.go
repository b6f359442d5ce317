package cli

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/ical/vcal1"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

type importCommand struct {
	accountFlag `embed:""`
	Calendar    string   `help:"Into which calendar; one that does not exist is made (default: the default calendar)."`
	JSON        bool     `help:"One JSON object for each calendar object: file, uid, outcome, line, reason."`
	Sources     []string `arg:"" name:"source" help:"Files, directories, - for standard input, or http(s) addresses: .ics, .vcs, .zip of them, .eml and mbox with invitations."`
}

func (importCommand) Help() string {
	return "Nobody is told of what is imported. Importing the same again changes nothing. Exit status 1 when something was refused.\n\nExample: convene import --account alice@example.org --calendar holidays holidays.ics"
}

// importLine is the outcome of one calendar object, as scripts read it.
type importLine struct {
	File    string `json:"file"`
	UID     string `json:"uid,omitempty"`
	Outcome string `json:"outcome"`
	Line    int    `json:"line,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// importer takes sources into one calendar and keeps count.
type importer struct {
	e      *env
	s      *server.Services
	owner  store.Account
	by     account.Actor
	into   string
	json   bool
	counts map[string]int
	told   *progress
}

func (c importCommand) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		coll, err := calendarNamed(e, s, a.ID, by, c.Calendar)
		if problem.Has(err, problem.NotFound) && c.Calendar != "" {
			coll, err = s.Calendar.MakeCalendar(e.ctx, calendar.MakeCalendarRequest{By: by, Owner: a.ID, Collection: store.Collection{Name: segment(c.Calendar), DisplayName: c.Calendar}})
		}
		if err != nil {
			return err
		}
		im := &importer{e: e, s: s, owner: a, by: by, into: coll.Name, json: c.JSON, counts: map[string]int{}, told: e.progress("objects imported")}
		for _, source := range c.Sources {
			if err := im.source(source); err != nil {
				return err
			}
		}
		im.told.done()
		if !c.JSON {
			if _, err := fmt.Fprintln(e.Out, im.summary()); err != nil {
				return err
			}
		}
		if im.counts[calendar.ImportRefused] > 0 {
			return errFailed
		}
		return nil
	})
}

// summary counts what became of each object: the outcomes of files always,
// those of messages in mails where there are any.
func (im *importer) summary() string {
	always := []string{calendar.ImportCreated, calendar.ImportUpdated, calendar.ImportUnchanged, calendar.ImportSkipped, calendar.ImportRefused}
	var others, parts []string
	for outcome := range im.counts {
		if !slices.Contains(always, outcome) {
			others = append(others, outcome)
		}
	}
	slices.Sort(others)
	for _, outcome := range append(always, others...) {
		parts = append(parts, fmt.Sprintf("%d %s", im.counts[outcome], outcome))
	}
	text := strings.Join(parts, ", ")
	if im.counts[string(itip.Held)] > 0 {
		text += "; convene message list --state held shows what waits for a decision"
	}
	return text
}

func (im *importer) source(name string) error {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return im.download(name)
	}
	if name == "-" {
		return im.stream("standard input", im.e.In)
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return readFile(name, im.stream)
	}
	return filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return readFile(path, func(name string, r io.Reader) error {
			in := bufio.NewReaderSize(r, streamBuffer)
			if !importable(path) && !beginsCalendar(in) {
				return nil
			}
			return im.stream(name, in)
		})
	})
}

// beginsCalendar recognises a calendar under another name.
func beginsCalendar(in *bufio.Reader) bool {
	head, _ := in.Peek(512)
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	const begin = "BEGIN:VCALENDAR"
	return len(head) >= len(begin) && bytes.EqualFold(head[:len(begin)], []byte(begin))
}

// streamBuffer is how much of a source is looked at to tell what it is.
const streamBuffer = 64 << 10

// vcsExtension is the file name of a vCalendar 1.0.
const vcsExtension = ".vcs"

// importable is what is taken from a directory by its name; a file named on
// the command line is taken whatever it is called.
func importable(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip", ".eml", ".mbox", vcsExtension:
		return true
	}
	return isCalendarFile(path)
}

// downloadTime bounds one download.
const downloadTime = 2 * time.Minute

func (im *importer) download(address string) error {
	ctx, cancel := context.WithTimeout(im.e.ctx, downloadTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return usageError{err}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, resp.Status)
	}
	return im.stream(address, resp.Body)
}

// stream tells by its first octets what a source is.
func (im *importer) stream(name string, r io.Reader) error {
	in := bufio.NewReaderSize(r, streamBuffer)
	head, err := in.Peek(512)
	if err != nil && err != io.EOF && len(head) == 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return im.archive(name, in)
	case bytes.HasPrefix(head, []byte("From ")):
		return im.mbox(name, in)
	case looksLikeMail(head):
		return im.mail(name, in)
	}
	if head, _ = in.Peek(sniffLength); vcal1.Detect(head) {
		return im.vCalendar(name, in)
	}
	long := bufio.NewReaderSize(in, smallInput)
	if _, err := long.Peek(smallInput); err == io.EOF {
		return im.objects(name, calendar.ImportRequest{Reader: long}, nil)
	}
	return im.long(name, long)
}

// long takes a calendar that is too long to hold: object by object, in the
// memory of the largest.
func (im *importer) long(name string, in io.Reader) error {
	r, w := io.Pipe()
	var place places
	read := make(chan error, 1)
	go func() {
		out, line := bufio.NewWriter(w), 1
		var unreadable error
		err := eachObject(in, func(object *ical.Calendar, err error) error {
			if err != nil {
				unreadable = err
				return nil
			}
			text := object.Bytes()
			place.add(line, object.Components[0].Line())
			line += bytes.Count(text, []byte{'\n'})
			_, err = out.Write(text)
			return err
		})
		if err == nil {
			err = out.Flush()
		}
		w.CloseWithError(err)
		read <- cmp.Or(err, unreadable)
	}()
	err := im.objects(name, calendar.ImportRequest{Reader: r}, &place)
	r.CloseWithError(errors.New("the import ended"))
	unread := <-read
	if pe := (*ical.ParseError)(nil); err == nil && errors.As(unread, &pe) {
		return im.outcome(importLine{File: name, Outcome: calendar.ImportRefused, Line: pe.Line, Reason: "The rest cannot be read: " + pe.What + "."})
	}
	return err
}

// places knows where in a source the objects of a stream made from it began.
type places struct {
	mu   sync.Mutex
	list [][2]int // line in the stream, line in the source
}

func (p *places) add(stream, source int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, [2]int{stream, source})
}

// none tells that nothing was made of the source.
func (p *places) none() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.list) == 0
}

// of gives the line in the source of a line in the stream; lines come in order.
func (p *places) of(line int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.list) > 1 && p.list[1][0] <= line {
		p.list = p.list[1:]
	}
	if len(p.list) == 0 {
		return 0
	}
	return p.list[0][1]
}

// vCalendar takes a vCalendar 1.0, whose local times are the owner's where it
// does not say otherwise.
func (im *importer) vCalendar(name string, r io.Reader) error {
	opt := vcal1.Options{}
	if z, err := tz.Load(im.owner.TimeZone); err == nil {
		opt.Zone = z
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(vcal1.DefaultLimits.Size)+1)) // one more is refused
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	cals, losses, err := vcal1.ParseOptions(data, opt)
	for _, l := range losses {
		im.e.lost(name + ": " + l.String())
	}
	var unreadable *vcal1.ParseError
	if errors.As(err, &unreadable) {
		return im.outcome(importLine{File: name, Outcome: calendar.ImportRefused, Line: unreadable.Line, Reason: unreadable.What})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var text []byte
	for _, c := range cals {
		text = c.AppendTo(text)
	}
	return im.objects(name, calendar.ImportRequest{Data: text}, nil)
}

// objects takes the calendar objects of iCalendar text.
// place says where its objects stood, where the text was made from another.
func (im *importer) objects(name string, req calendar.ImportRequest, place *places) error {
	req.By, req.Owner, req.Collection, req.Source = im.by, im.owner.ID, im.into, name
	converted := req.Reader == nil // its lines are not those of the source
	for out, err := range im.s.Calendar.Import(im.e.ctx, req) {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		switch {
		case place != nil && place.none():
			continue // what is wrong with the source is told by its reader
		case converted:
			out.Line = 0
		case place != nil:
			out.Line = place.of(out.Line)
		}
		if err := im.outcome(importLine{File: out.Source, UID: out.UID, Outcome: out.State, Line: out.Line, Reason: out.Reason}); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) outcome(l importLine) error {
	im.counts[l.Outcome]++
	im.told.add(1)
	if im.json {
		return im.e.printJSON(l)
	}
	if l.Outcome != calendar.ImportRefused {
		return nil
	}
	where := l.File
	if l.Line > 0 {
		where = fmt.Sprintf("%s:%d", l.File, l.Line)
	}
	_, err := fmt.Fprintf(forPeople(im.e.Err), "%s: %s\n", where, l.Reason)
	return err
}

// maxArchive bounds what a zip may unpack to, whatever its header says.
const maxArchive = 2 << 30

func (im *importer) archive(name string, r io.Reader) error {
	spool, err := os.CreateTemp("", "convene-import")
	if err != nil {
		return err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	size, err := io.Copy(spool, r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	z, err := zip.NewReader(spool, size)
	if err != nil {
		return im.outcome(importLine{File: name, Outcome: calendar.ImportRefused, Reason: "this is not a readable zip archive"})
	}
	left := int64(maxArchive)
	for _, f := range z.File {
		if f.FileInfo().IsDir() || !isCalendarFile(f.Name) && !strings.EqualFold(filepath.Ext(f.Name), ".eml") && !strings.EqualFold(filepath.Ext(f.Name), vcsExtension) {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, f.Name, err)
		}
		limited := &io.LimitedReader{R: in, N: left}
		err = im.stream(name+"/"+f.Name, limited)
		in.Close()
		if err != nil {
			return err
		}
		if left = limited.N; left <= 0 {
			return fmt.Errorf("%s: it unpacks to more than %d octets", name, int64(maxArchive))
		}
	}
	return nil
}

// importText takes iCalendar text into an account's calendar and fails on the
// first object that is refused.
func importText(ctx context.Context, s *server.Services, a store.Account, into string, text []byte) error {
	by := s.Accounts.ActorOf(a)
	for out, err := range s.Calendar.Import(ctx, calendar.ImportRequest{By: by, Owner: a.ID, Collection: into, Data: text, Source: "sample calendar"}) {
		if err != nil {
			return err
		}
		if out.State == calendar.ImportRefused {
			return fmt.Errorf("sample calendar of %s, line %d: %s", a.Name, out.Line, out.Reason)
		}
	}
	return nil
}
