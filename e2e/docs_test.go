package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	shownCommand = regexp.MustCompile(`(?m)^    (?:\./|go run \./cmd/)?convene ([a-z].*)$`)
	namedCommand = regexp.MustCompile("`(?:\\./)?convene ([a-z][^`]*)`")
	option       = regexp.MustCompile(`(?:^|[ |(\[])(--[a-z][a-z-]*)`)
	commandWord  = regexp.MustCompile(`^[a-z][a-z-]*$`)
)

// Every command and every option that the documents show is there.
func TestDocumentsShowCommandsThatExist(t *testing.T) {
	pages := []string{"../README.md", "../CONTRIBUTING.md", "../ARCHITECTURE.md"}
	for _, pattern := range []string{"../docs/*.md", "../docs/clients/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	checked := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		lines := append(shownCommand.FindAllStringSubmatch(string(text), -1), namedCommand.FindAllStringSubmatch(string(text), -1)...)
		for _, m := range lines {
			line, _, _ := strings.Cut(m[1], " #")
			line, _, _ = strings.Cut(line, " && ")
			var words []string
			help := ""
			for _, w := range strings.Fields(line) {
				if !commandWord.MatchString(w) {
					break
				}
				out, _, status := run(t, "", append(append([]string{}, append(words, w)...), "--help")...)
				if status != 0 || !strings.HasPrefix(out, "Usage: convene "+strings.Join(append(words, w), " ")) {
					break // an argument
				}
				words, help = append(words, w), out
			}
			if len(words) == 0 || strings.Contains(help, "Commands:") && len(strings.Fields(line)) > len(words) {
				t.Errorf("%s: convene %s is no command", page, line)
				continue
			}
			checked++
			for _, o := range option.FindAllStringSubmatch(line, -1) {
				if o[1] != "--help" && !regexp.MustCompile(regexp.QuoteMeta(o[1])+`\b`).MatchString(help) && !strings.Contains(help, "--[no-]"+o[1][2:]) {
					t.Errorf("%s: convene %s: %s has no option %s", page, line, strings.Join(words, " "), o[1])
				}
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d commands were found; the pages look otherwise now", checked)
	}
}
