package pgp_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/imip/pgp"
	"github.com/convene-cal/convene/internal/harness/program"
)

var at = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const entity = "Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY:trailing blank \r\nEND:VCALENDAR\r\n"

func generate(t *testing.T, name, address string) *pgp.Key {
	t.Helper()
	k, err := pgp.Generate(name, address, at.AddDate(0, -1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// parts takes a multipart of two parts apart in the plainest way.
func parts(t *testing.T, text []byte) (first, second []byte) {
	t.Helper()
	_, boundary, _ := strings.Cut(string(text), `boundary="`)
	boundary, _, _ = strings.Cut(boundary, `"`)
	pieces := strings.Split(string(text), "--"+boundary)
	if len(pieces) != 4 {
		t.Fatalf("%d pieces:\n%s", len(pieces), text)
	}
	_, body, _ := strings.Cut(pieces[2], "\r\n\r\n")
	return []byte(strings.TrimSuffix(strings.TrimPrefix(pieces[1], "\r\n"), "\r\n")), []byte(body)
}

func TestSignAndVerify(t *testing.T) {
	ann, ben := generate(t, "Ann", "ann@ONE.test"), generate(t, "Ben", "ben@two.test")
	if !slices.Equal(ann.Addresses(), []string{"ann@one.test"}) || !ann.IsPrivate() || len(ann.Fingerprint()) < 40 {
		t.Errorf("%q %v %q", ann.Addresses(), ann.IsPrivate(), ann.Fingerprint())
	}
	text, err := pgp.Sign([]byte(entity), ann, at)
	if err != nil {
		t.Fatal(err)
	}
	content, signature := parts(t, text)
	if string(content) != entity || !strings.Contains(string(text), "micalg=pgp-sha") {
		t.Errorf("%s", text)
	}
	for name, c := range map[string]struct {
		content string
		keys    []*pgp.Key
		want    error
	}{
		"hers":                 {entity, []*pgp.Key{ben, ann}, nil},
		"hers, from a pipe":    {strings.ReplaceAll(entity, "\r\n", "\n"), []*pgp.Key{ann}, nil},
		"another content":      {entity + "x", []*pgp.Key{ann}, pgp.ErrSignature},
		"a key nobody has":     {entity, []*pgp.Key{ben}, pgp.ErrUnknownKey},
		"no keys":              {entity, nil, pgp.ErrUnknownKey},
		"trailing blanks gone": {strings.Replace(entity, "blank ", "blank", 1), []*pgp.Key{ann}, pgp.ErrSignature},
	} {
		r := pgp.Verify([]byte(c.content), signature, c.keys, at)
		if !errors.Is(r.Err, c.want) || c.want == nil && (r.Err != nil || r.Key.Fingerprint() != ann.Fingerprint() || !r.Time.Equal(at)) {
			t.Errorf("%s: %+v, want %v", name, r, c.want)
		}
	}
	if r := pgp.Verify([]byte(entity), []byte("hello"), []*pgp.Key{ann}, at); r.Err == nil {
		t.Error("garbage verifies")
	}
}

func TestEncryptAndDecrypt(t *testing.T) {
	ann, ben, eve := generate(t, "Ann", "ann@one.test"), generate(t, "Ben", "ben@two.test"), generate(t, "Eve", "eve@bad.test")
	for _, signer := range []*pgp.Key{nil, ann} {
		text, err := pgp.Encrypt([]byte(entity), []*pgp.Key{ben}, signer, at)
		if err != nil {
			t.Fatal(err)
		}
		_, sealed := parts(t, text)
		inside, signature, err := pgp.Decrypt(sealed, []*pgp.Key{eve, ben})
		if err != nil || string(inside) != entity {
			t.Fatalf("%q, %v", inside, err)
		}
		if signer == nil {
			if signature != nil {
				t.Error("a signature that nobody made")
			}
		} else if r := pgp.Verify(inside, signature, []*pgp.Key{ann}, at); r.Err != nil {
			t.Errorf("the signature inside: %v", r.Err)
		}
		if _, _, err := pgp.Decrypt(sealed, []*pgp.Key{eve}); !errors.Is(err, pgp.ErrDecrypt) {
			t.Errorf("somebody else's key: %v", err)
		}
		if _, _, err := pgp.Decrypt([]byte("garbage"), []*pgp.Key{ben}); !errors.Is(err, pgp.ErrDecrypt) {
			t.Errorf("garbage: %v", err)
		}
	}
}

func TestKeysAsText(t *testing.T) {
	ann := generate(t, "Ann", "ann@one.test")
	public, err := ann.Public()
	if err != nil {
		t.Fatal(err)
	}
	private, err := ann.Private("secret")
	if err != nil {
		t.Fatal(err)
	}
	both, err := pgp.ParseKeys(append(append(public, '\n'), private...), "secret")
	if err != nil || len(both) != 2 || both[0].IsPrivate() || !both[1].IsPrivate() || both[0].Fingerprint() != both[1].Fingerprint() {
		t.Fatalf("%v, %v", both, err)
	}
	if _, err := pgp.Sign([]byte(entity), both[1], at); err != nil {
		t.Errorf("the opened key does not sign: %v", err)
	}
	if _, err := pgp.ParseKeys(private, "guess"); !errors.Is(err, pgp.ErrPassphrase) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	for _, bad := range []string{"", "hello", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", strings.Repeat("x", 3<<20)} {
		if _, err := pgp.ParseKeys([]byte(bad), ""); !errors.Is(err, pgp.ErrSyntax) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// GnuPG agrees, both ways.
func TestGnuPGAgrees(t *testing.T) {
	gpg := program.Need(t, "crypto", "gpg")
	home, err := os.MkdirTemp("", "gpg") // short: sockets lie in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	clock := "20260601T115000!" // GnuPG's; "!" stops it
	run := func(stdin []byte, args ...string) []byte {
		t.Helper()
		cmd := exec.Command(gpg, append([]string{"--homedir", home, "--batch", "--yes", "--trust-model", "always", "--faked-system-time", clock}, args...)...)
		cmd.Stdin = bytes.NewReader(stdin)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg %v: %v: %s", args, err, errs.Bytes())
		}
		return out
	}
	file := func(name string, data []byte) string {
		f := filepath.Join(home, name)
		if err := os.WriteFile(f, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	run(nil, "--passphrase", "", "--quick-generate-key", "Gus <gus@gnu.test>", "default", "default", "never")
	clock = "20260601T120100!"
	keys, err := pgp.ParseKeys(run(nil, "--armor", "--export-secret-keys", "gus@gnu.test"), "")
	if err != nil {
		t.Fatal(err)
	}
	gus := keys[0]
	later := at.Add(5 * time.Minute)

	// Theirs here.
	theirs := run([]byte(entity), "--armor", "--detach-sign")
	if r := pgp.Verify([]byte(entity), theirs, []*pgp.Key{gus}, later); r.Err != nil {
		t.Errorf("their signature: %v", r.Err)
	}
	if r := pgp.Verify([]byte(entity+"x"), theirs, []*pgp.Key{gus}, later); r.Err == nil {
		t.Error("their signature holds over another content")
	}
	if r := pgp.Verify([]byte(entity), run([]byte(entity), "--armor", "--textmode", "--detach-sign"), []*pgp.Key{gus}, later); r.Err != nil {
		t.Errorf("their signature in text mode: %v", r.Err)
	}
	inside, signature, err := pgp.Decrypt(run([]byte(entity), "--armor", "--sign", "--encrypt", "-r", "gus@gnu.test"), []*pgp.Key{gus})
	if err != nil || string(inside) != entity {
		t.Fatalf("their message: %q, %v", inside, err)
	}
	if r := pgp.Verify(inside, signature, []*pgp.Key{gus}, later); r.Err != nil {
		t.Errorf("the signature inside: %v", r.Err)
	}

	// Ours there.
	ann := generate(t, "Ann", "ann@one.test")
	public, err := ann.Public()
	if err != nil {
		t.Fatal(err)
	}
	run(public, "--import")
	text, err := pgp.Sign([]byte(entity), ann, at)
	if err != nil {
		t.Fatal(err)
	}
	content, ours := parts(t, text)
	run(nil, "--verify", file("ours.asc", ours), file("content", content))
	text, err = pgp.Encrypt([]byte(entity), []*pgp.Key{gus}, ann, at)
	if err != nil {
		t.Fatal(err)
	}
	_, sealed := parts(t, text)
	if out := run(sealed, "--decrypt"); string(out) != entity {
		t.Errorf("GnuPG reads %q", out)
	}

	// A key that has run out since, and a part of one: what they signed in time was
	// right then, and says nothing now.
	run(nil, "--passphrase", "", "--quick-generate-key", "Short <short@gnu.test>", "ed25519", "sign", "1d")
	run(nil, "--passphrase", "", "--quick-generate-key", "Part <part@gnu.test>", "ed25519", "cert,sign", "never")
	read := func(who string) *pgp.Key {
		keys, err := pgp.ParseKeys(run(nil, "--armor", "--export", who), "")
		if err != nil {
			t.Fatal(err)
		}
		return keys[0]
	}
	run(nil, "--passphrase", "", "--quick-add-key", strings.ToUpper(read("part@gnu.test").Fingerprint()), "ed25519", "sign", "1d")
	clock = "20260601T120200!"
	for _, who := range []string{"short@gnu.test", "part@gnu.test", "gus@gnu.test"} {
		signature := run([]byte(entity), "--armor", "--detach-sign", "-u", who)
		list := []*pgp.Key{read(who)}
		if r := pgp.Verify([]byte(entity), signature, list, later); r.Err != nil || r.Ended {
			t.Errorf("%s in time: %+v", who, r)
		}
		if r := pgp.Verify([]byte(entity), signature, list, later.AddDate(0, 0, 2)); r.Err != nil || r.Ended != (who != "gus@gnu.test") {
			t.Errorf("%s two days later: %+v", who, r)
		}
	}
}

func FuzzRead(f *testing.F) {
	k, err := pgp.Generate("Ann", "ann@one.test", at)
	if err != nil {
		f.Fatal(err)
	}
	public, err := k.Public()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(public)
	if text, err := pgp.Encrypt([]byte(entity), []*pgp.Key{k}, k, at); err == nil {
		f.Add(text[bytes.Index(text, []byte("-----BEGIN")):])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pgp.ParseKeys(data, "")
		if r := pgp.Verify([]byte("never signed"), data, []*pgp.Key{k}, at); r.Err == nil {
			t.Error("a signature that nobody made")
		}
		pgp.Decrypt(data, []*pgp.Key{k})
	})
}
