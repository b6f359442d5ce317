package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const password = "bench-password"

// service is a running server: `convene serve`, or another that is measured
// beside it.
type service struct {
	cmd   *exec.Cmd
	url   string
	data  string
	admin string // address of its profiles, "" for none
	homes string // where calendar homes begin; "" is ours
	login func(user string) string
	have  map[string]bool // calendars that were filled
}

// calendar is the path of one.
func (s *service) calendar(user, name string) string {
	if s.homes == "" {
		return "/dav/calendars/" + user + "/" + name + "/"
	}
	return s.homes + user + "/" + name + "/"
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (b *bench) addAccount(data, address string) error {
	add := exec.CommandContext(b.ctx, b.binary, "account", "add", address, "--password-stdin", "--data", data)
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil && !bytes.Contains(out, []byte("already")) {
		return fmt.Errorf("account add %s: %w: %s", address, err, out)
	}
	return nil
}

// start makes the accounts and runs the binary until it is ready.
func (b *bench) start(data string, accounts ...string) (*service, time.Duration, error) {
	for _, a := range accounts {
		if err := b.addAccount(data, a+"@bench.test"); err != nil {
			return nil, 0, err
		}
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	s := &service{url: "http://" + addr, data: data, login: plainLogin, have: map[string]bool{}}
	args := []string{"serve", "--data", data, "--domains", "bench.test", "--hostname", "localhost", "--http-listen", addr, "--log-level", "warn"}
	if b.profile != "" {
		if s.admin, err = freeAddress(); err != nil {
			return nil, 0, err
		}
		args = append(args, "--admin-listen", s.admin)
	}
	s.cmd = exec.CommandContext(b.ctx, b.binary, args...)
	s.cmd.Stderr = os.Stderr
	took, err := s.begin("/readyz")
	return s, took, err
}

func plainLogin(user string) string { return user }

// begin starts the process and waits for an answer at a path.
func (s *service) begin(path string) (time.Duration, error) {
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, err
	}
	for ; ; time.Sleep(time.Millisecond) {
		if resp, err := http.Get(s.url + path); err == nil {
			resp.Body.Close()
			if resp.StatusCode < 500 {
				return time.Since(begin), nil
			}
		}
		if time.Since(begin) > 60*time.Second {
			s.stop()
			return 0, fmt.Errorf("the service is not ready after 60 s")
		}
	}
}

func (s *service) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.cmd.Wait()
}

// memory is a figure of proc(5) in MB: VmRSS, or VmHWM, the most there was.
func (s *service) memory(which string) (float64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), which+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no %s in %s", which, f.Name())
}

// forgetPeak makes VmHWM begin anew (proc(5), clear_refs).
func (s *service) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0)
}

// processor is the time the service has had a processor, itself and the kernel
// for it: the sum of its threads (Linux, Documentation/scheduler/sched-stats);
// 0 where that cannot be told.
func (s *service) processor() (total time.Duration) {
	if s.homes != "" { // several processes
		return 0
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	for _, t := range threads {
		text, err := os.ReadFile(t)
		if err != nil {
			continue // it has ended
		}
		on, _, _ := strings.Cut(string(text), " ")
		n, _ := strconv.ParseInt(on, 10, 64)
		total += time.Duration(n)
	}
	return total
}

// figures reads some of the metrics that our server tells.
func (s *service) figures(names ...string) ([]float64, error) {
	resp, err := http.Get(s.url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	found := map[string]string{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		found[name] = value
	}
	list := make([]float64, len(names))
	for i, name := range names {
		if list[i], err = strconv.ParseFloat(found[name], 64); err != nil {
			return nil, fmt.Errorf("%s in the metrics: %w", name, err)
		}
	}
	return list, nil
}

// disk is what the data folder takes, in octets.
func (s *service) disk() (total int64) {
	filepath.Walk(s.data, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			total += info.Size()
		}
		return nil
	})
	return total
}

// do is one request with everything it answers.
func (s *service) do(user string, a asked) ([]byte, error) {
	c := newClient(s, user)
	defer c.close()
	return c.text(a)
}

// fill makes a calendar of n events, unless that was done; their numbers begin
// at first. Ours imports them, others take each by PUT.
func (b *bench) fill(s *service, user, name string, first, n int, text func(n int) []byte) error {
	mark := fmt.Sprintf("%s.%s.%d", user, name, first+n)
	done := filepath.Join(b.dir, "filled."+mark)
	if _, err := os.Stat(done); s.have[mark] || err == nil && s.homes == "" {
		return nil
	}
	var err error
	if s.homes != "" {
		err = fillByPut(s, user, name, first, n, text)
	} else {
		err = b.fillByImport(s, user, name, first, n, text)
	}
	if err != nil {
		return fmt.Errorf("fill %s with %d: %w", name, n, err)
	}
	if s.have[mark] = true; s.homes != "" {
		return nil
	}
	return os.WriteFile(done, nil, 0o600)
}

func (b *bench) fillByImport(s *service, user, name string, first, n int, text func(n int) []byte) error {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 1<<20)
		for i := range n {
			out.Write(text(first + i)) // a broken pipe is the import's error
		}
		out.Flush()
		w.Close()
	}()
	cmd := exec.CommandContext(b.ctx, b.binary, "import", "--account", user+"@bench.test", "--calendar", name, "--data", s.data, "-")
	cmd.Stdin = r
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("import: %w: %.500s", err, out)
	}
	return nil
}

func fillByPut(s *service, user, name string, first, n int, text func(n int) []byte) error {
	c := newClient(s, user)
	defer c.close()
	if err := s.makeCalendar(user, name); err != nil {
		return err
	}
	for i := range n {
		if err := c.drop(asked{method: "PUT", path: fmt.Sprintf("%s%d.ics", s.calendar(user, name), first+i), mediaType: calendarType, body: text(first + i)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) makeCalendar(user, name string) error {
	_, err := s.do(user, asked{method: "MKCALENDAR", path: s.calendar(user, name)})
	return err
}

const calendarType = "text/calendar; charset=utf-8"

// single and withSeries are events of calendars: of the second a fifth are
// endless series.
func single(n int) []byte     { return eventText(n, false) }
func withSeries(n int) []byte { return eventText(n, n%5 == 0) }

// eventText is event n, about 2 KB; a series is endless and weekly.
func eventText(n int, series bool) []byte {
	// Spread over 48 months, all hours of working days, so that a month holds a
	// forty-eighth of the calendar.
	day := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n*7919%1461)
	start := day.Add(time.Duration(8+n%9) * time.Hour)
	b := bytes.NewBuffer(make([]byte, 0, 2300))
	fmt.Fprintf(b, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nBEGIN:VEVENT\r\nUID:bench-%08d@bench.test\r\nDTSTAMP:20250101T000000Z\r\n", n)
	fmt.Fprintf(b, "DTSTART:%s\r\nDTEND:%s\r\nSUMMARY:Event number %d\r\nLOCATION:Room %d\r\n", start.Format("20060102T150405Z"), start.Add(time.Hour).Format("20060102T150405Z"), n, n%40)
	if series {
		b.WriteString("RRULE:FREQ=WEEKLY\r\n")
	}
	for i := range 24 {
		fmt.Fprintf(b, "X-BENCH-NOTE-%02d:some words that fill the event to a usual size %08d\r\n", i, n*31+i)
	}
	b.WriteString("END:VEVENT\r\nEND:VCALENDAR\r\n")
	return b.Bytes()
}
