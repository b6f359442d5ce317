//go:build unix

// Package pg gives tests a PostgreSQL of their own: a cluster made by initdb
// in a temporary directory, run as an ordinary user, shared by the tests of a
// process, with one database for each test.
package pg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/convene-cal/convene/internal/harness/program"
)

// Cluster is a running PostgreSQL server.
type Cluster struct {
	bin, dir string
	port     int
	cred     *syscall.Credential
	server   *exec.Cmd
	ended    <-chan struct{} // closed when the server has ended; nil when none was started
	mu       sync.Mutex
	made     int

	preparing sync.Mutex
	templates map[string]string // name → URL
}

// the cluster of this test process, started by the first test that wants one.
var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Database makes an empty database for one test and returns its URL. Without
// PostgreSQL it skips the test and says how to get one, or fails it when
// CONVENE_REQUIRE names "pg".
//
// A package that uses it ends the cluster with [Stop] from TestMain; one left
// behind by a killed test ends with its process.
func Database(t testing.TB) string {
	t.Helper()
	url, err := need(t).CreateDatabase(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Prepared is Database with a copy of one database that prepare has filled,
// once in the process; it must leave no connection open. The name says which.
func Prepared(t testing.TB, name string, prepare func(url string) error) string {
	t.Helper()
	c := need(t)
	c.preparing.Lock()
	template, ok := c.templates[name]
	if !ok {
		var err error
		if template, err = c.CreateDatabase(context.Background()); err == nil {
			err = prepare(template)
		}
		if err != nil {
			c.preparing.Unlock()
			t.Fatalf("prepare database %s: %v", name, err)
		}
		if c.templates == nil {
			c.templates = make(map[string]string)
		}
		c.templates[name] = template
	}
	c.preparing.Unlock()
	u, err := c.CopyDatabase(context.Background(), path.Base(template))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// need starts the cluster of this process or ends the test.
func need(t testing.TB) *Cluster {
	t.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = Start(context.Background()) })
	if shared.err != nil {
		if slices.Contains(strings.Split(os.Getenv("CONVENE_REQUIRE"), ","), "pg") {
			t.Fatalf("PostgreSQL is required and missing: %v", shared.err)
		}
		t.Skipf("SKIP postgres: %v (apt-get install postgresql)", shared.err)
	}
	return shared.cluster
}

// Stop ends the cluster that Database started, if it did.
func Stop() {
	if shared.cluster != nil {
		shared.cluster.Stop()
	}
}

// Main runs a package's tests and stops the cluster after them.
func Main(m *testing.M) {
	code := m.Run()
	Stop()
	os.Exit(code)
}

// find looks for the server's programs where Debian and others put them.
func find() (string, error) {
	if dir := os.Getenv("PGBIN"); dir != "" {
		return dir, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	return "", errors.New("no initdb in /usr/lib/postgresql/*/bin, PGBIN or PATH")
}

// unprivileged is whom to run the server as: PostgreSQL refuses root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("running as root, and there is no user postgres or nobody to run the server as")
}

// Start makes and starts a cluster and waits until it answers.
func Start(ctx context.Context) (*Cluster, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	cred, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// Below /tmp and short: the path of a Unix socket has at most 108 octets.
	dir, err := os.MkdirTemp("/tmp", "convene-pg")
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir, cred: cred}
	if err := c.start(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	if c.cred != nil {
		if err := os.Chown(c.dir, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(c.dir, "data")
	out, err := c.command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
		"--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	for range portTries {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err = c.Restart(ctx); !errors.Is(err, errEnded) {
			return err
		}
	}
	return err
}

// portTries is how often another port is tried when somebody took the free one
// before the server did.
const portTries = 5

var errEnded = errors.New("the server ended")

// Restart starts the server of a cluster that does not run and waits until it
// answers.
func (c *Cluster) Restart(ctx context.Context) error {
	// A test's data need not survive the machine.
	data := filepath.Join(c.dir, "data")
	c.server = c.command("postgres", "-D", data, "-k", c.dir, "-p", strconv.Itoa(c.port), "-h", "127.0.0.1",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB", "-c", "max_connections=200")
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c.server.Stdout, c.server.Stderr = log, log
	if c.ended, err = program.Launch(c.server, syscall.SIGINT); err != nil {
		c.ended = nil
		return fmt.Errorf("postgres: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			var where string // another server may have taken the port
			err = conn.QueryRow(ctx, "show data_directory").Scan(&where)
			if err = errors.Join(err, conn.Close(ctx)); err == nil && where == data {
				return nil
			}
		}
		select {
		case <-c.ended:
			text, _ := os.ReadFile(log.Name())
			c.ended = nil
			return fmt.Errorf("%w: %s", errEnded, text)
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("postgres did not come up: %w: %s", err, text)
		}
	}
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+c.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	return cmd
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// URL is the address of one of the cluster's databases.
func (c *Cluster) URL(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)), Path: "/" + database}).String()
}

// CreateDatabase makes an empty database and returns its URL.
func (c *Cluster) CreateDatabase(ctx context.Context) (string, error) {
	return c.CopyDatabase(ctx, "template1")
}

// CopyDatabase makes a database from a template that nobody is connected to.
func (c *Cluster) CopyDatabase(ctx context.Context, template string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	c.made++
	name := fmt.Sprintf("t%d", c.made)
	if _, err := conn.Exec(ctx, "create database "+name+" template "+pgx.Identifier{template}.Sanitize()); err != nil {
		return "", fmt.Errorf("create database: %w", err)
	}
	return c.URL(name), nil
}

// Crash ends the server at once, without closing its files well.
func (c *Cluster) Crash() error {
	if c.ended == nil {
		return nil
	}
	if err := c.server.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.ended
	c.ended = nil
	return nil
}

// Stop ends the server and removes its files.
func (c *Cluster) Stop() {
	_ = c.Crash() // the data is thrown away
	_ = os.RemoveAll(c.dir)
}
