package cms_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/internal/harness/certs"
	"github.com/convene-cal/convene/internal/harness/program"
)

// nss is a directory with a database of NSS, the library of Thunderbird, that
// trusts a CA and has the key of one person, under the nickname "ann".
type nss struct {
	t   *testing.T
	dir string
}

func newNSS(t *testing.T, ca, id *certs.Identity) nss {
	n := nss{t, t.TempDir()}
	root, _ := ca.Write(t, n.dir, "ca")
	cert, key := id.Write(t, n.dir, "ann")
	if _, err := openssl(t, n.dir, "pkcs12", "-export", "-inkey", key, "-in", cert, "-name", "ann", "-passout", "pass:x", "-out", "ann.p12"); err != nil {
		t.Fatal(err)
	}
	n.must("certutil", "-N", "-d", "sql:.", "--empty-password")
	n.must("certutil", "-A", "-d", "sql:.", "-n", "root", "-t", "CT,C,C", "-i", root)
	n.must("pk12util", "-i", "ann.p12", "-d", "sql:.", "-W", "x")
	return n
}

// run gives what a tool of NSS prints.
func (n nss) run(tool string, args ...string) ([]byte, error) {
	n.t.Helper()
	cmd := exec.Command(program.Need(n.t, "crypto", tool), args...)
	cmd.Dir = n.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		n.t.Logf("%s %v: %s", tool, args, errs.Bytes())
	}
	return out.Bytes(), err
}

func (n nss) must(tool string, args ...string) []byte {
	n.t.Helper()
	out, err := n.run(tool, args...)
	if err != nil {
		n.t.Fatal(err)
	}
	return out
}

func (n nss) read(name string) []byte {
	n.t.Helper()
	data, err := os.ReadFile(filepath.Join(n.dir, name))
	if err != nil {
		n.t.Fatal(err)
	}
	return data
}

// What NSS signs verifies here, and what we sign verifies there; an altered
// text does neither.
func TestSignaturesOfNSS(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	for _, kind := range []string{"rsa", "p256"} {
		id := ca.Issue(t, kind, nil, "ann@one.test")
		n := newNSS(t, ca, id)
		write(t, n.dir, "content", text)
		write(t, n.dir, "altered", append([]byte("X-Altered: yes\r\n"), text...))
		for _, detached := range []bool{true, false} {
			args := []string{"-S", "-d", "sql:.", "-N", "ann", "-H", "SHA256", "-i", "content", "-o", "theirs"}
			if detached {
				args = append(args, "-T")
			}
			n.must("cmsutil", args...)
			s, err := cms.ParseSigned(n.read("theirs"))
			if err != nil {
				t.Fatalf("%s, detached %v: %v", kind, detached, err)
			}
			content := text
			if !s.Detached {
				content = s.Content
			}
			if s.Detached != detached || !bytes.Equal(content, text) {
				t.Errorf("%s: detached %v, content %q", kind, s.Detached, content)
			}
			if sigs := s.Verify(content); len(sigs) != 1 || sigs[0].Err != nil {
				t.Errorf("%s, detached %v: %+v", kind, detached, sigs)
			}
			if sigs := s.Verify(n.read("altered")); sigs[0].Err == nil {
				t.Errorf("%s, detached %v: the signature holds over another text", kind, detached)
			}

			ours, err := cms.Sign(text, []cms.Signer{signerOf(id)}, cms.SignOptions{Detached: detached, Time: certs.Now})
			if err != nil {
				t.Fatal(err)
			}
			write(t, n.dir, "ours", ours)
			args = []string{"-D", "-d", "sql:.", "-i", "ours"}
			if !detached {
				if out, err := n.run("cmsutil", args...); err != nil || !bytes.Equal(out, text) {
					t.Errorf("%s: NSS says %v, content %q", kind, err, out)
				}
				continue
			}
			if _, err := n.run("cmsutil", append(args, "-c", "content")...); err != nil {
				t.Errorf("%s, detached: NSS says %v", kind, err)
			}
			if _, err := n.run("cmsutil", append(args, "-c", "altered")...); err == nil {
				t.Errorf("%s, detached: NSS takes the signature for another text", kind)
			}
		}
	}
}

// What NSS encrypts opens here, and what we encrypt opens there.
func TestEnvelopesOfNSS(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	id := ca.Issue(t, "rsa", nil, "ann@one.test")
	n := newNSS(t, ca, id)
	write(t, n.dir, "content", text)
	n.must("cmsutil", "-E", "-d", "sql:.", "-r", "ann@one.test", "-i", "content", "-o", "theirs")
	got, err := cms.Decrypt(n.read("theirs"), []cms.Key{{Private: id.Key, Certificate: id.Cert}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Content, text) {
		t.Errorf("content %q", got.Content)
	}
	ours, err := cms.Encrypt(text, id.Chain[:1], cms.AES128CBC)
	if err != nil {
		t.Fatal(err)
	}
	write(t, n.dir, "ours", ours)
	if out := n.must("cmsutil", "-D", "-d", "sql:.", "-i", "ours"); !bytes.Equal(out, text) {
		t.Errorf("NSS reads %q", out)
	}
}
