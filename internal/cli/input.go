package cli

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"
)

// eachInput opens every file named, standard input for "-", and every
// calendar file below a directory, in order; what is packed with gzip or zip is
// unpacked. An input that cannot be opened is told on standard error and does
// not keep the others from being read: the error is errFailed then. An error of
// do ends it.
func (e *env) eachInput(names []string, do func(name string, r io.Reader) error) error {
	unread := false
	tell := func(err error) {
		unread = true
		fmt.Fprintf(forPeople(e.Err), "convene: %v\n", err)
	}
	open := func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			tell(err)
			return nil
		}
		defer f.Close()
		return unpacked(path, f, do)
	}
	for _, name := range names {
		if name == "-" {
			if err := unpacked("standard input", e.In, do); err != nil {
				return err
			}
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			tell(err)
			continue
		}
		if !info.IsDir() {
			if err := open(name); err != nil {
				return err
			}
			continue
		}
		err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				tell(err)
				return nil
			}
			if d.IsDir() || !isCalendarFile(strings.TrimSuffix(path, ".gz")) {
				return nil
			}
			return open(path)
		})
		if err != nil {
			return err
		}
	}
	if unread {
		return errFailed
	}
	return nil
}

// The first octets of packed files (RFC 1952 2.3.1, APPNOTE 4.3.7).
const (
	gzipMagic = "\x1f\x8b"
	zipMagic  = "PK\x03\x04"
)

// unpacked gives what is in a file: itself, what gzip made smaller, or the
// calendar files of a zip archive. A reader that can start again does so.
func unpacked(name string, r io.Reader, do func(name string, r io.Reader) error) error {
	in := bufio.NewReaderSize(r, sniffLength)
	head, err := in.Peek(len(zipMagic))
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case strings.HasPrefix(string(head), gzipMagic):
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return do(name, z)
	case string(head) == zipMagic:
		return unzipped(name, r, in, do)
	}
	return do(name, in)
}

// unzipped gives the calendar files of an archive. Its table of contents is at
// the end, so what is no file goes through a temporary one.
func unzipped(name string, r io.Reader, in io.Reader, do func(name string, r io.Reader) error) error {
	f, ok := r.(*os.File)
	if ok {
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			ok = false
		}
	}
	if !ok {
		var err error
		if f, err = spooled(in); err != nil {
			return err
		}
		defer os.Remove(f.Name())
		defer f.Close()
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, part := range z.File {
		if part.FileInfo().IsDir() || !isCalendarFile(part.Name) {
			continue
		}
		in, err := part.Open()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, part.Name, err)
		}
		err = do(name+"/"+part.Name, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// maxPart is the largest component that the file tools hold at once: an inline
// attachment of 48 MB. Everything else they do is in constant memory.
const maxPart = 64 << 20

// calendarExtensions are the file names taken from a directory.
var calendarExtensions = map[string]bool{".ics": true, ".ical": true, ".ifb": true, ".icalendar": true}

func isCalendarFile(path string) bool {
	return calendarExtensions[strings.ToLower(filepath.Ext(path))]
}

func readFile(path string, do func(string, io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(path, f)
}

// progress tells a person at a terminal how far long work has come; scripts
// see nothing of it.
type progress struct {
	w     io.Writer
	what  string
	n     int
	next  time.Time
	shown bool
}

// progressAfter is how long work is quiet, and how often it is told then.
const progressAfter = time.Second

func (e *env) progress(what string) *progress {
	p := &progress{what: what, next: time.Now().Add(progressAfter)}
	if f, ok := e.Err.(*os.File); ok && (e.root.Progress || term.IsTerminal(int(f.Fd()))) {
		p.w = f
	}
	return p
}

func (p *progress) add(n int) {
	p.n += n
	if p.w == nil || time.Now().Before(p.next) {
		return
	}
	p.next, p.shown = time.Now().Add(progressAfter), true
	fmt.Fprintf(p.w, "\r%d %s …", p.n, p.what)
}

func (p *progress) done() {
	if p.shown {
		fmt.Fprintf(p.w, "\r%d %s   \n", p.n, p.what)
	}
}

// reading counts the megabytes that are read of an input.
func (p *progress) reading(r io.Reader) io.Reader { return &counted{r: r, told: p} }

type counted struct {
	r    io.Reader
	told *progress
	left int // octets that are no megabyte yet
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.left += n
	c.told.add(c.left >> 20)
	c.left &= 1<<20 - 1
	return n, err
}
