package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/settings.md")

// The page of settings is the table of [Keys] with the values of [Default].
func TestSettingsPageIsTheTable(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("# Settings\n\n" +
		"A setting comes, in rising order of weight, from its default, from `convene.toml` (`mail.relay` is `relay`\n" +
		"under `[mail]`), from the environment (`CONVENE_MAIL_RELAY`; a list with commas between) and, where the table\n" +
		"says so, from a flag of `convene serve`. A secret may be `file:PATH` or `env:NAME` instead of itself. An unknown\n" +
		"key is an error. Sizes are in octets, and `0` under `[limits]` is no limit. [operating.md](operating.md) tells when to change what.\n\n" +
		"The tables are written by `go test ./internal/config -run Settings -update`.\n\n" +
		"| key | default | flag | what |\n|---|---|---|---|\n")
	d := Default()
	for _, k := range Keys() {
		option := ""
		if k.Flag {
			option = "`--" + k.FlagName() + "`"
		}
		what := strings.ReplaceAll(k.Help, "|", `\|`)
		if k.Secret {
			what += "; secret"
		}
		fmt.Fprintf(&doc, "| `%s` | %s | %s | %s |\n", k.Name, written(reflect.ValueOf(d).FieldByIndex(k.field)), option, what)
	}
	doc.WriteString("\n## `[[cip.peer]]`\n\nOne for each server with which something is agreed; all values are text.\n\n| key | what |\n|---|---|\n")
	peer := reflect.TypeFor[CIPPeer]()
	for i := range peer.NumField() {
		f := peer.Field(i)
		if f.Tag.Get("help") == "" {
			t.Errorf("cip.peer %s has no sentence", f.Tag.Get("toml"))
		}
		fmt.Fprintf(&doc, "| `%s` | %s |\n", f.Tag.Get("toml"), f.Tag.Get("help"))
	}
	path := filepath.Join("..", "..", "docs", "settings.md")
	if *update {
		if err := os.WriteFile(path, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != doc.String() {
		t.Errorf("docs/settings.md is not the table (%v); run go test ./internal/config -run Settings -update", err)
	}
}

// written is a value as convene.toml has it; "" for the empty text and list.
func written(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case string:
		if x == "" {
			return ""
		}
		return fmt.Sprintf("`%q`", x)
	case time.Duration:
		return fmt.Sprintf("`\"%s\"`", shortly(x))
	case int, int64, bool:
		return fmt.Sprintf("`%v`", x)
	}
	return ""
}

// shortly writes 15m0s as 15m.
func shortly(d time.Duration) string {
	if s, whole := strings.CutSuffix(d.String(), "m0s"); whole {
		return s + "m"
	}
	return d.String()
}
