package cli

import (
	"bytes"
	"fmt"
	"testing"
)

func TestTextsFromOutsideDoNotSteerTheTerminal(t *testing.T) {
	var b bytes.Buffer
	n, err := fmt.Fprintf(forPeople(&b), "%s\t%s\n", "Grüße 🎂\r\x1b]0;gone\x07\x1b[2J\u009b31m", "\u202egpj.exe\u2066 \xff")
	if want := "Grüße 🎂��]0;gone��[2J�31m\t�gpj.exe� �\n"; err != nil || b.String() != want || n == 0 {
		t.Errorf("%q, want %q (%v)", b.String(), want, err)
	}
}
