package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func noEnv(string) (string, bool) { return "", false }

func envOf(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := m[k]; return v, ok }
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWeightOfSources(t *testing.T) {
	file := write(t, "domains = [\"file.test\"]\n[http]\nlisten = \"127.0.0.1:1\"\n[mail]\nundo-window = \"30s\"\nmax-message-size = 5\n")
	c, err := Load(Sources{
		File:  file,
		Env:   envOf(map[string]string{"CONVENE_HTTP_LISTEN": "127.0.0.1:2", "CONVENE_DOMAINS": "env.test, two.test"}),
		Flags: map[string]string{"http.listen": "127.0.0.1:3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != "127.0.0.1:3" {
		t.Errorf("http.listen = %s; a flag weighs most", c.HTTP.Listen)
	}
	if !reflect.DeepEqual(c.Domains, []string{"env.test", "two.test"}) {
		t.Errorf("domains = %v; the environment weighs more than the file", c.Domains)
	}
	if c.Mail.UndoWindow != 30*time.Second || c.Mail.MaxMessageSize != 5 {
		t.Errorf("mail = %+v; the file weighs more than the default", c.Mail)
	}
	if c.Store.Durability != "full" {
		t.Errorf("durability = %q; the default is full", c.Store.Durability)
	}
}

func TestFileInDataFolderIsFound(t *testing.T) {
	file := write(t, "hostname = \"cal.test\"\n")
	c, err := Load(Sources{Env: noEnv, Flags: map[string]string{"data": filepath.Dir(file)}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Hostname != "cal.test" || c.Data != filepath.Dir(file) {
		t.Errorf("got %+v", c)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown key", "[mail]\n\nlmtp-lisen = \"x\"\n", "line 3: unknown key mail.lmtp-lisen; did you mean mail.lmtp-listen?"},
		{"unknown section", "[http]\n[male]\nrelay = \"x\"\n", "did you mean mail.relay?"},
		{"wrong type", "domains = \"example.org\"\n", `is a list; write ["example.org"]`},
		{"number for text", "hostname = 5\n", "it is a string"},
		{"duration", "[mail]\nundo-window = \"soon\"\n", "not a time such as 30s"},
		{"too long a window", "[mail]\nundo-window = \"6m\"\n", "between 0s and 5m0s"},
		{"policy", "[mail]\ninbound-policy = \"maybe\"\n", "one of accept, verify, quarantine"},
		{"address", "[http]\nlisten = \"8420\"\n", "write host:port"},
		{"broken file", "data = \n", "line 1"},
		{"true or false", "[cip]\nplaintext-login = \"perhaps\"\n", "not true or false"},
		{"anonymous", "[cip]\nallow-anonymous = \"maybe\"\n", "one of no, verify, yes"},
		{"peer without a name", "[[cip.peer]]\naddress = \"h:1\"\n", "write a domain"},
		{"peer twice", "[[cip.peer]]\nserver-id = \"a.test\"\n[[cip.peer]]\nserver-id = \"A.test\"\n", "twice"},
		{"peer's unknown key", "[[cip.peer]]\nserver-id = \"a.test\"\npassword2 = \"x\"\n", "line 1: cip.peer: unknown key password2; did you mean password?"},
		{"peer's body", "[[cip.peer]]\nserver-id = \"a.test\"\nbody = \"xml\"\n", "one of , vcal10, bare, ical20"},
		{"domain", "domains = [\"a@b\"]\n", "write a mail domain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(Sources{File: write(t, tt.text), Env: noEnv})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want it to say %q", err, tt.want)
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "relay")
	if err := os.WriteFile(secret, []byte("smtp://u:p@h:25\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Sources{
		File: write(t, "[mail]\nrelay = \"file:"+secret+"\"\n[store]\nurl = \"env:DB\"\n"),
		Env:  envOf(map[string]string{"DB": "postgres://x"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Mail.Relay != "smtp://u:p@h:25" || c.Store.URL != "postgres://x" {
		t.Errorf("relay %q, url %q", c.Mail.Relay, c.Store.URL)
	}
	if _, err := Load(Sources{File: write(t, "[store]\nurl = \"env:NOPE\"\n"), Env: noEnv}); err == nil {
		t.Error("a secret that is not there is no error")
	}
}

func TestEncodeReadsBack(t *testing.T) {
	c := Default()
	c.Domains = []string{"example.org"}
	c.Mail.UndoWindow = time.Minute
	c.Mail.MaxMessageSize = 7
	c.HTTP.PublicURL = "https://cal.example.org"
	c.CIP.PlaintextLogin = true
	c.CIP.Peers = []CIPPeer{{ServerID: "a.test", Address: "h:1", Password: "x y"}, {ServerID: "b.test", Body: "ical20", TLS: "starttls"}}
	c.CAP.Listen = "127.0.0.1:1026"
	got, err := Load(Sources{File: write(t, string(c.Encode())), Env: noEnv})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, c) {
		t.Errorf("wrote\n%s\nread %+v\nwant %+v", c.Encode(), got, c)
	}
}

func TestEveryKeyHasASentence(t *testing.T) {
	for _, k := range Keys() {
		if k.Help == "" || strings.HasSuffix(k.Name, ".") {
			t.Errorf("key %q has no sentence or no name", k.Name)
		}
	}
}
