package cli

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/convene-cal/convene/internal/config"
)

// Every setting marked as a flag is one of `serve`, under its own name, and
// arrives under its own key.
func TestServeHasAFlagForEachMarkedSetting(t *testing.T) {
	var want []string
	for _, k := range config.Keys() {
		if !k.Flag || k.Name == "data" { // --data is on every command
			continue
		}
		want = append(want, k.Name)
		var c serveCommand
		p, err := kong.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Parse([]string{"--" + k.FlagName() + "=value"}); err != nil {
			t.Errorf("--%s: %v", k.FlagName(), err)
			continue
		}
		if got := c.flags(); len(got) != 1 || got[k.Name] != "value" {
			t.Errorf("--%s arrives as %v", k.FlagName(), got)
		}
	}
	if !slices.Contains(want, "mail.lmtp-listen") {
		t.Fatal("no settings found")
	}
}
