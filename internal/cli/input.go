package cli

import (
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
// calendar file below a directory, in order.
func (e *env) eachInput(names []string, do func(name string, r io.Reader) error) error {
	for _, name := range names {
		if name == "-" {
			if err := do("standard input", e.In); err != nil {
				return err
			}
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			if err := readFile(name, do); err != nil {
				return err
			}
			continue
		}
		err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isCalendarFile(path) {
				return err
			}
			return readFile(path, do)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

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
	if f, ok := e.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
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
