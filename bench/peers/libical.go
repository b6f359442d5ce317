package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed libical/peer.c
var libicalSource []byte

// result is what the C program measured.
type result struct {
	what  string
	value float64 // MB/s or µs
	n     int     // occurrences
}

// libical compiles the C program and runs it. The error says what is missing.
func libical(data []byte, rounds int) ([]result, error) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return nil, errors.New("no C compiler (cc)")
	}
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "libical").Output()
	if err != nil {
		return nil, errors.New("pkg-config does not know libical (Debian: libical-dev)")
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	source, program, input := filepath.Join(dir, "peer.c"), filepath.Join(dir, "peer"), filepath.Join(dir, "input.ics")
	if err := errors.Join(os.WriteFile(source, libicalSource, 0o600), os.WriteFile(input, data, 0o600)); err != nil {
		return nil, err
	}
	compile := exec.Command(cc, append([]string{"-O2", "-o", program, source}, strings.Fields(string(flags))...)...)
	if out, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("does not compile: %w\n%s", err, out)
	}
	args := []string{input, strconv.Itoa(rounds), ruleZone, ruleStart}
	for _, r := range rules {
		args = append(args, r.name, r.text, r.from, r.to)
	}
	run := exec.Command(program, args...)
	var failed bytes.Buffer
	run.Stderr = &failed
	out, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, failed.String())
	}
	var list []result
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 3 {
			return nil, fmt.Errorf("cannot read %q", line)
		}
		value, err1 := strconv.ParseFloat(f[1], 64)
		n, err2 := strconv.Atoi(f[2])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		list = append(list, result{f[0], value, n})
	}
	return list, nil
}
