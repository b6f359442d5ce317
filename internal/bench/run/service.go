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

// service is a running `convene serve`.
type service struct {
	cmd  *exec.Cmd
	url  string
	data string
}

// start makes the accounts and runs the binary until it is ready.
func (b *bench) start(data string, accounts ...string) (*service, time.Duration, error) {
	for _, a := range accounts {
		add := exec.CommandContext(b.ctx, b.binary, "account", "add", a+"@bench.test", "--password-stdin", "--data", data)
		add.Stdin = strings.NewReader(password)
		if out, err := add.CombinedOutput(); err != nil {
			return nil, 0, fmt.Errorf("account add %s: %w: %s", a, err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	addr := l.Addr().String()
	l.Close()
	begin := time.Now()
	s := &service{url: "http://" + addr, data: data}
	s.cmd = exec.CommandContext(b.ctx, b.binary, "serve", "--data", data, "--domains", "bench.test", "--hostname", "localhost", "--http-listen", addr, "--log-level", "warn")
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		return nil, 0, err
	}
	for {
		if resp, err := http.Get(s.url + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == 200 {
				return s, time.Since(begin), nil
			}
		}
		if time.Since(begin) > 20*time.Second {
			s.stop()
			return nil, 0, fmt.Errorf("the service is not ready after 20 s")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (s *service) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.cmd.Wait()
}

// memory is the resident set, in MB.
func (s *service) memory() (float64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS in %s", f.Name())
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

func (s *service) do(c *http.Client, user, method, path string, header map[string]string, body []byte) ([]byte, *http.Response, error) {
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.SetBasicAuth(user, password)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, text)
	}
	return text, resp, err
}

// eventText is event n, about 2 KB; a series is endless and weekly.
func eventText(n int, series bool) []byte {
	// Spread over 48 months, all hours of working days, so that a month holds a
	// forty-eighth of the calendar.
	day := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n*7919%1461)
	start := day.Add(time.Duration(8+n%9) * time.Hour)
	var b bytes.Buffer
	fmt.Fprintf(&b, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nBEGIN:VEVENT\r\nUID:bench-%08d@bench.test\r\nDTSTAMP:20250101T000000Z\r\n", n)
	fmt.Fprintf(&b, "DTSTART:%s\r\nDTEND:%s\r\nSUMMARY:Event number %d\r\nLOCATION:Room %d\r\n", start.Format("20060102T150405Z"), start.Add(time.Hour).Format("20060102T150405Z"), n, n%40)
	if series {
		b.WriteString("RRULE:FREQ=WEEKLY\r\n")
	}
	for i := range 24 {
		fmt.Fprintf(&b, "X-BENCH-NOTE-%02d:some words that fill the event to a usual size %08d\r\n", i, n*31+i)
	}
	b.WriteString("END:VEVENT\r\nEND:VCALENDAR\r\n")
	return b.Bytes()
}
