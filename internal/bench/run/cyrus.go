package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	cyrusMaster  = "/usr/lib/cyrus/bin/master"
	cyrusInstall = "apt-get install --no-install-recommends cyrus-caldav cyrus-imapd sasl2-bin libsasl2-modules-db"
	cyrusUser    = "anna" // of the measures that peers take part in
)

// startCyrus runs Cyrus as Debian has it, with everything below a directory of
// the run, or measures one that runs already at CYRUS_URL, with a user anna who
// has the password of the accounts here.
func startCyrus(b *bench) (*service, error) {
	s := &service{homes: "/dav/calendars/user/", login: plainLogin, have: map[string]bool{}}
	if url := os.Getenv("CYRUS_URL"); url != "" {
		s.url = strings.TrimSuffix(url, "/")
		s.cmd = exec.CommandContext(b.ctx, "sleep", "infinity") // nothing of ours to start or stop
		_, err := s.begin("/")
		return s, err
	}
	for _, program := range []string{cyrusMaster, "/usr/lib/cyrus/bin/imapd", "/usr/lib/cyrus/bin/httpd", "saslpasswd2", "setpriv"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("it is not installed (%s), and CYRUS_URL does not say where one runs, with a user %s whose password is %s: %w", cyrusInstall, cyrusUser, password, err)
		}
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("only root can start it, which has a user of its own; or set CYRUS_URL")
	}
	imap, err := freeAddress()
	if err != nil {
		return nil, err
	}
	web, err := freeAddress()
	if err != nil {
		return nil, err
	}
	// Its user has to get there.
	dir := filepath.Join(b.dir, "cyrus")
	if err := os.Chmod(b.dir, 0o711); err != nil {
		return nil, err
	}
	for _, d := range []string{"db", "db.backup1", "db.backup2", "socket", "log", "msg", "proc", "ptclient", "quota", "user", "sieve", "lock"} {
		if err := os.MkdirAll(filepath.Join(dir, "conf", d), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "spool", "stage."), 0o700); err != nil {
		return nil, err
	}
	settings, services := filepath.Join(dir, "imapd.conf"), filepath.Join(dir, "cyrus.conf")
	for path, text := range map[string]string{
		settings: fmt.Sprintf(`configdirectory: %[1]s/conf
defaultpartition: default
partition-default: %[1]s/spool
proc_path: %[1]s/conf/proc
mboxname_lockpath: %[1]s/conf/lock
servername: localhost
admins: cyrus
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: %[1]s/sasldb
autocreate_quota: 0
unixhierarchysep: yes
altnamespace: yes
httpmodules: caldav
`, dir),
		services: fmt.Sprintf(`START {
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -C %[1]s -r"
}
SERVICES {
  imap cmd="/usr/lib/cyrus/bin/imapd -C %[1]s" listen="%[2]s" prefork=0
  http cmd="/usr/lib/cyrus/bin/httpd -C %[1]s" listen="%[3]s" prefork=8
}
EVENTS {
}
`, settings, imap, web),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	add := exec.CommandContext(b.ctx, "saslpasswd2", "-p", "-c", "-f", filepath.Join(dir, "sasldb"), "-u", "localhost", cyrusUser)
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("saslpasswd2: %w: %s", err, out)
	}
	if out, err := exec.CommandContext(b.ctx, "chown", "-R", "cyrus:mail", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("chown: %w: %s", err, out)
	}
	s.url, s.data = "http://"+web, dir
	s.cmd = exec.CommandContext(b.ctx, "setpriv", "--reuid", "cyrus", "--regid", "mail", "--init-groups",
		cyrusMaster, "-C", settings, "-M", services, "-p", filepath.Join(dir, "pid"))
	s.cmd.Stderr = os.Stderr
	if _, err := s.begin("/"); err != nil {
		return nil, err
	}
	// The first sign-in makes the mailbox, without which there is no calendar home.
	if err := imapSignIn(imap); err != nil {
		s.stop()
		return nil, fmt.Errorf("make the mailbox: %w", err)
	}
	return s, nil
}

func imapSignIn(address string) error {
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	lines := bufio.NewScanner(c)
	fmt.Fprintf(c, "a LOGIN %s %s\r\nb LOGOUT\r\n", cyrusUser, password)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "a "); ok && !strings.HasPrefix(rest, "OK") {
			return fmt.Errorf("%s", rest)
		}
	}
	return lines.Err()
}
