package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/program"
)

// mailSite is an organisation's mail server as docs/mail-server.md sets it up:
// Postfix, and Dovecot for mailboxes and passwords. Its files are the page's,
// with the site's own names in the place of example.org's.
type mailSite struct {
	t                      testing.TB
	dir, domain            string
	ip                     string // an address of this machine that nobody else uses
	smtp, submission, imap string
	lmtp                   string // where Convene listens
	names                  *strings.Replacer
}

// save puts a mail into a person's INBOX, as a delivery does.
func (m *mailSite) save(person, mail string) {
	m.t.Helper()
	cmd := exec.Command("doveadm", "-c", m.dir+"/dovecot/dovecot.conf", "save", "-u", person+"@"+m.domain)
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(mail, "\n", "\r\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("doveadm save: %v\n%s", err, out)
	}
}

// drop puts a mail into a person's folder, as a delivery does that needs no
// Dovecot.
func (m *mailSite) drop(person, name, mail string) {
	m.t.Helper()
	folder := filepath.Join(m.dir, "vhosts", m.domain, person)
	path := filepath.Join(folder, "tmp", name)
	err := os.WriteFile(path, []byte(mail), 0o600)
	if err == nil {
		err = os.Chown(path, mailUser, mailUser)
	}
	if err == nil {
		err = os.Rename(path, filepath.Join(folder, "new", name))
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// flags gives the flags of each mail in a person's INBOX, oldest first.
func (m *mailSite) flags(person string) (list []string) {
	m.t.Helper()
	out := command(m.t, "doveadm", "-c", m.dir+"/dovecot/dovecot.conf", "-f", "tab", "fetch", "-u", person+"@"+m.domain, "flags", "mailbox", "INBOX")
	for i, l := range strings.Split(strings.TrimRight(out, "\n"), "\n") {
		if i > 0 { // the first names the column
			list = append(list, l)
		}
	}
	return list
}

// mailUser owns the mailboxes on the page.
const mailUser = 5000

// newMailSite writes the files of a site with mailboxes for people, whose
// password is the page's. Postfix runs as root only.
func newMailSite(t testing.TB, domain string, people ...string) *mailSite {
	t.Helper()
	program.Need(t, "mail", "postfix")
	program.Need(t, "mail", "dovecot")
	if os.Geteuid() != 0 {
		if strings.Contains(os.Getenv("CONVENE_REQUIRE"), "mail") {
			t.Fatal("mail is required: Postfix runs for root only")
		}
		t.Skip("SKIP mail: Postfix runs for root only")
	}
	// Other users go through the folder, and paths of sockets are short.
	dir, err := os.MkdirTemp("/tmp", "convene-mail")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &mailSite{t: t, dir: dir, domain: domain, ip: fmt.Sprintf("127.%d.%d.%d", 64+rand.IntN(64), 1+rand.IntN(254), 1+rand.IntN(254))}
	for _, addr := range []*string{&m.smtp, &m.submission, &m.imap, &m.lmtp} {
		*addr = m.free()
	}
	for _, sub := range []string{"postfix", "dovecot", "ssl", "convene", "vhosts", "queue", "state"} {
		m.mkdir(sub)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, filepath.Join(dir, "vhosts"): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(dir, "vhosts"), mailUser, mailUser); err != nil {
		t.Fatal(err)
	}
	m.names = strings.NewReplacer(
		"mail.example.org:587", m.submission, "mail.example.org/INBOX", m.imap+"/INBOX", "127.0.0.1:2424", m.lmtp, "127.0.0.0/8", m.ip+"/32",
		"/etc/", dir+"/", "/var/mail/", dir+"/", "/var/spool/postfix", dir+"/queue",
		`example\.org`, strings.ReplaceAll(domain, ".", `\.`), "example.org", domain)
	m.certificate()
	m.postfixFiles(people)
	m.dovecotFiles(people)
	return m
}

// free is a place to listen at, which nobody takes in the meantime: nobody
// else uses the address.
func (m *mailSite) free() string {
	m.t.Helper()
	l, err := net.Listen("tcp", m.ip+":0")
	if err != nil {
		m.t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// page gives a file of docs/mail-server.md with the site's own names.
func (m *mailSite) page(path string) string {
	m.t.Helper()
	text, err := os.ReadFile("../docs/mail-server.md")
	if err != nil {
		m.t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "\n    # "+path+"\n")
	if !ok {
		m.t.Fatalf("docs/mail-server.md has no %s", path)
	}
	var b strings.Builder
	for l := range strings.Lines(after) {
		own, indented := strings.CutPrefix(l, "    ")
		if !indented && strings.TrimSpace(l) != "" || strings.HasPrefix(own, "# /") {
			break
		}
		b.WriteString(own)
	}
	return m.names.Replace(b.String())
}

// certificate makes the site's, which is its own authority.
func (m *mailSite) certificate() {
	m.t.Helper()
	path := filepath.Join(m.dir, "ssl", "mail."+m.domain)
	command(m.t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
		"-subj", "/CN=mail."+m.domain, "-addext", "subjectAltName=IP:"+m.ip, "-keyout", path+".key", "-out", path+".crt")
}

func (m *mailSite) postfixFiles(people []string) {
	m.t.Helper()
	var mailboxes, master strings.Builder
	for _, p := range append([]string{"bounce"}, people...) {
		fmt.Fprintf(&mailboxes, "%s@%s %s/%s/\n", p, m.domain, m.domain, p)
	}
	for l := range strings.Lines(m.page("/etc/postfix/master.cf")) {
		service, rest, _ := strings.Cut(l, " ")
		if addr := map[string]string{"smtp": m.smtp, "submission": m.submission}[service]; addr != "" {
			l = addr + " " + rest
		}
		master.WriteString(l)
	}
	master.WriteString(`pickup    unix  n  -  n  60    1  pickup
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
smtp      unix  -  -  n  -     -  smtp
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
virtual   unix  -  n  n  -     -  virtual
lmtp      unix  -  -  n  -     -  lmtp
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
postlog   unix-dgram n - n -   1  postlogd
`)
	m.write("postfix/main.cf", m.page("/etc/postfix/main.cf")+`
# of the test
config_directory = `+m.dir+`/postfix
queue_directory = `+m.dir+`/queue
data_directory = `+m.dir+`/state
maillog_file = `+m.dir+`/mail.log
maillog_file_prefixes = /tmp
inet_interfaces = 127.0.0.1
smtp_bind_address = `+m.ip+`
inet_protocols = ipv4
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_tls_security_level = may
alias_maps =
alias_database =
`)
	m.write("postfix/master.cf", master.String())
	m.write("postfix/mailboxes", mailboxes.String())
	m.write("postfix/convene_copy", m.page("/etc/postfix/convene_copy"))
	m.write("postfix/convene_transport", m.page("/etc/postfix/convene_transport"))
	if err := os.Chown(filepath.Join(m.dir, "state"), userID(m.t, "postfix"), -1); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mailSite) dovecotFiles(people []string) {
	m.t.Helper()
	users := "convene:{PLAIN}secret\n"
	for _, p := range people {
		users += p + "@" + m.domain + ":{PLAIN}password\n"
	}
	m.write("dovecot/users", users)
	host, port, _ := net.SplitHostPort(m.imap)
	m.write("dovecot/dovecot.conf", m.page("/etc/dovecot/dovecot.conf")+`
# of the test
base_dir = `+m.dir+`/run
state_dir = `+m.dir+`/state-dovecot
log_path = `+m.dir+`/dovecot.log
listen = `+host+`
first_valid_uid = `+fmt.Sprint(mailUser)+`
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = `+port+`
    ssl = yes
  }
}
service anvil {
  chroot =
}
`)
}

func (m *mailSite) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// mkdir makes a folder below the site's.
func (m *mailSite) mkdir(name string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Join(m.dir, name), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (m *mailSite) append(name, text string) {
	m.t.Helper()
	m.write(name, read(m.t, filepath.Join(m.dir, name))+text)
}

// start runs Dovecot and Postfix until the test ends.
func (m *mailSite) start() *mailSite {
	m.t.Helper()
	config := m.dir + "/postfix"
	command(m.t, "postfix", "-c", config, "check") // makes the folders of the queue
	m.startDovecot()                               // puts a socket there
	m.serve(exec.Command(filepath.Join(strings.TrimSpace(command(m.t, "postconf", "-h", "daemon_directory")), "master"), "-c", config), "mail.log", m.smtp, m.submission)
	return m
}

// startDovecot runs Dovecot until the test ends or stop is called.
func (m *mailSite) startDovecot() (stop func()) {
	m.t.Helper()
	return m.serve(exec.Command("dovecot", "-F", "-c", m.dir+"/dovecot/dovecot.conf"), "dovecot.log", m.imap)
}

// serve runs a server of the site and waits until it listens.
func (m *mailSite) serve(cmd *exec.Cmd, log string, addrs ...string) (stop func()) {
	m.t.Helper()
	out, err := os.OpenFile(filepath.Join(m.dir, log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		m.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	ended, err := program.Launch(cmd, syscall.SIGTERM)
	if err != nil {
		m.t.Fatal(err)
	}
	said := func() string {
		text, _ := os.ReadFile(filepath.Join(m.dir, log))
		return string(text)
	}
	stop = func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			cmd.Process.Kill()
			m.t.Errorf("%s does not end:\n%s", cmd.Args[0], said())
		}
	}
	m.t.Cleanup(func() {
		stop()
		if m.t.Failed() {
			m.t.Logf("%s of %s:\n%s", log, m.domain, said())
		}
	})
	for _, addr := range addrs {
		eventually(m.t, cmd.Args[0]+" listens", func() (bool, string) {
			select {
			case <-ended:
				m.t.Fatalf("%s ended:\n%s", cmd.Args[0], said())
			default:
			}
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return false, err.Error() + "\n" + said()
			}
			c.Close()
			return true, ""
		})
	}
	return stop
}

// convene is the service of the site, configured as the page says.
func (m *mailSite) convene(accounts []string, more string) *service {
	return m.conveneWith("/var/lib/convene/convene.toml", accounts, more)
}

// conveneWith takes one of the page's files of settings.
func (m *mailSite) conveneWith(settings string, accounts []string, more string) *service {
	m.t.Helper()
	key := filepath.Join(m.dir, "convene", "dkim.pem")
	if _, err := os.Stat(key); err != nil {
		command(m.t, "openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
	}
	s := newService(m.t, m.domain, accounts)
	s.args = []string{"serve", "--data", s.data, "--http-listen", "127.0.0.1:0"}
	s.env = append(s.env, "SSL_CERT_FILE="+m.dir+"/ssl/mail."+m.domain+".crt")
	file(m.t, filepath.Join(s.data, "convene.toml"), m.page(settings)+more)
	return s
}

// dkimRecord is what the domain publishes about the key of convene.
func (m *mailSite) dkimRecord() (name, text string) {
	m.t.Helper()
	der := command(m.t, "openssl", "pkey", "-in", filepath.Join(m.dir, "convene", "dkim.pem"), "-pubout", "-outform", "PEM")
	var b strings.Builder
	for l := range strings.Lines(der) {
		if !strings.HasPrefix(l, "-") {
			b.WriteString(strings.TrimSpace(l))
		}
	}
	return "cal._domainkey." + m.domain, "v=DKIM1; k=rsa; p=" + b.String()
}

// userID is the number of a user of this machine.
func userID(t testing.TB, name string) int {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// mailbox gives the mails in a person's INBOX.
func (m *mailSite) mailbox(person string) (mails []string) {
	m.t.Helper()
	for _, sub := range []string{"new", "cur"} {
		files, err := filepath.Glob(filepath.Join(m.dir, "vhosts", m.domain, person, sub, "*"))
		if err != nil {
			m.t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				m.t.Fatal(err)
			}
			mails = append(mails, string(text))
		}
	}
	return mails
}

// command runs another program and gives its standard output.
func command(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}
