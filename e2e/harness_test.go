package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/pg"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "convene-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "convene")
	build := exec.Command("go", "build", "-o", binary, "../cmd/convene")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	// The scripts wait for other programs more than they compute.
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n != nil && n.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = n.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0)))
	}
	status := m.Run()
	pg.Stop()
	os.RemoveAll(dir)
	os.Exit(status)
}

// run executes one command line and returns its output and exit status.
func run(t testing.TB, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("convene %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must is run for commands that have to succeed.
func must(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	out, errs, status := run(t, stdin, args...)
	if status != 0 {
		t.Fatalf("convene %s: status %d\n%s%s", strings.Join(args, " "), status, out, errs)
	}
	return out
}

// cli runs a command on the service's store, beside it, and expects success.
func (s *service) cli(stdin string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(binary, append(args, "--data", s.data)...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("convene %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// service is a running `convene serve`.
type service struct {
	t    testing.TB
	data string
	args []string
	env  []string // settings for the service and for commands beside it
	wrap []string // a command that runs the binary
	cmd  *exec.Cmd
	log  *logBuffer
	// Addresses as told by the log line "ready".
	http, lmtp, smtp, cip string
}

// logBuffer keeps what the process says and wakes whoever waits for a line.
type logBuffer struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan map[string]string
}

var readyLine = regexp.MustCompile(`msg=ready (.*)`)

func (l *logBuffer) follow(r io.Reader) {
	told := false
	for lines := bufio.NewScanner(r); lines.Scan(); {
		l.mu.Lock()
		l.text.WriteString(lines.Text() + "\n")
		l.mu.Unlock()
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil && !told {
			told = true
			addr := map[string]string{}
			for _, f := range strings.Fields(m[1]) {
				k, v, _ := strings.Cut(f, "=")
				addr[k] = v
			}
			l.ready <- addr
		}
	}
	if !told {
		close(l.ready)
	}
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newService makes the accounts (password = local part) without starting. The
// first of args may be a setting for the environment (CONVENE_STORE_URL=...).
func newService(t testing.TB, domain string, accounts []string, args ...string) *service {
	t.Helper()
	s := &service{t: t, data: filepath.Join(t.TempDir(), "data")}
	if strings.HasPrefix(args0(args), "CONVENE_") {
		s.env, args = args[:1], args[1:]
	}
	for _, a := range accounts {
		s.cli(a, "account", "add", a+"@"+domain, "--password-stdin")
	}
	s.args = append([]string{"serve", "--data", s.data, "--domains", domain, "--hostname", "localhost",
		"--http-listen", "127.0.0.1:0", "--mail-lmtp-listen", "127.0.0.1:0", "--mail-inbound-policy", "accept"}, args...)
	return s
}

func args0(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// start runs the service until it says it is ready; the test's end stops it.
func (s *service) start() *service {
	s.t.Helper()
	line := append(append(append([]string{}, s.wrap...), binary), s.args...)
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Env = append(os.Environ(), s.env...)
	s.log = &logBuffer{ready: make(chan map[string]string, 1)}
	errs, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd.Stdout = io.Discard
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go s.log.follow(errs)
	select {
	case addr, ok := <-s.log.ready:
		if !ok {
			s.cmd.Wait()
			s.t.Fatalf("the service ended before it was ready:\n%s", s.log)
		}
		s.http, s.lmtp, s.smtp, s.cip = addr["http"], addr["lmtp"], addr["smtp"], addr["cip"]
	case <-time.After(30 * time.Second):
		s.cmd.Process.Kill()
		s.t.Fatalf("not ready after 30 s:\n%s", s.log)
	}
	s.t.Cleanup(s.stop)
	return s
}

// stop ends it as an operator would and expects a clean exit.
func (s *service) stop() {
	if s.cmd == nil || s.cmd.ProcessState != nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			s.t.Errorf("after SIGTERM: %v\n%s", err, s.log)
		}
	case <-time.After(time.Minute):
		s.cmd.Process.Kill()
		<-done
		s.t.Errorf("did not drain within 15 s of SIGTERM:\n%s", s.log)
	}
	if s.t.Failed() {
		list, _, _ := run(s.t, "", "message", "list", "--data", s.data)
		s.t.Logf("log of the service:\n%sits messages:\n%s", s.log, list)
	}
}

// kill ends it as a power cut would.
func (s *service) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	s.cmd.Wait()
}

type response struct {
	status int
	header http.Header
	body   string
}

// do sends one request as the user (password = user name; "" = no credentials).
func (s *service) do(user, method, path, body string, header ...string) response {
	s.t.Helper()
	r, err := s.try(user, method, path, body, header...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (s *service) try(user, method, path, body string, header ...string) (response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return s.send(user, method, path, body, h)
}

// send is try with the header as it is; a user may be a whole address.
func (s *service) send(user, method, path, body string, header http.Header) (response, error) {
	req, err := http.NewRequest(method, "http://"+s.http+path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if user != "" {
		password, _, _ := strings.Cut(user, "@")
		req.SetBasicAuth(user, password)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, string(text)}, err
}

// expect fails the test when the status is another.
func (s *service) expect(want int, r response) response {
	s.t.Helper()
	if r.status != want {
		s.t.Fatalf("status %d, want %d: %.800s", r.status, want, r.body)
	}
	return r
}

// deliver hands a mail to the LMTP listener and returns the answers, one line
// for each recipient.
func (s *service) deliver(from, to, mail string) string {
	s.t.Helper()
	c, err := net.DialTimeout("tcp", s.lmtp, 5*time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	r := bufio.NewReader(c)
	say := func(line string) string {
		if line != "" {
			fmt.Fprintf(c, "%s\r\n", line)
		}
		for {
			answer, err := r.ReadString('\n')
			if err != nil {
				s.t.Fatalf("LMTP after %q: %v", line, err)
			}
			if len(answer) > 3 && answer[3] == ' ' {
				return strings.TrimSpace(answer)
			}
		}
	}
	say("")
	say("LHLO test.invalid")
	say("MAIL FROM:<" + from + ">")
	if a := say("RCPT TO:<" + to + ">"); a[0] != '2' {
		return a
	}
	if a := say("DATA"); a[0] != '3' {
		return a
	}
	mail = strings.ReplaceAll(strings.ReplaceAll(mail, "\r\n", "\n"), "\n", "\r\n")
	mail = strings.ReplaceAll("\r\n"+mail, "\r\n.", "\r\n..")[2:]
	return say(strings.TrimSuffix(mail, "\r\n") + "\r\n.")
}

// message is a line of `convene message list --json`.
type message struct {
	ID, Direction, Transport, Method, UID, From, To, State, Reason, Sentence string
	RecurrenceID                                                             string `json:"recurrence-id"`
	Evidence                                                                 struct{ Level string }
}

func (s *service) messages(args ...string) []message {
	s.t.Helper()
	out := s.cli("", append([]string{"message", "list", "--json"}, args...)...)
	var list []message
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var m message
		if err := d.Decode(&m); err != nil {
			s.t.Fatalf("%v in %s", err, out)
		}
		list = append(list, m)
	}
	return list
}

// eventually polls a condition of another process, which tells nobody when it
// becomes true; the test fails with what the condition last said.
func eventually(t testing.TB, what string, condition func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		ok, said := condition()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so after 90 s: %s", what, said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
