package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peer is another server that speaks CalDAV, measured beside ours where it is
// installed. None is needed to build or run anything else.
type peer struct {
	name  string
	start func(b *bench) (*service, error)
}

var peers = []peer{
	{"Radicale", startRadicale},
	{"Cyrus", startCyrus},
}

// beside measures ours and the peers with the same generator in one run and
// prints a table of both, with how many times as fast ours is.
func (b *bench) beside(only string) error {
	type row struct {
		unit   string
		values map[string]float64
	}
	var order []string
	rows := map[string]*row{}
	names := []string{"convene"}
	note := func(who string) func(measure, figure) {
		return func(m measure, f figure) {
			if m.name == "baseline" {
				return
			}
			what := f.what
			if i := strings.Index(what, " ("); i > 0 { // how many were found is not the same everywhere
				what = what[:i]
			}
			r := rows[what]
			if r == nil {
				r = &row{unit: f.unit, values: map[string]float64{}}
				rows[what] = r
				order = append(order, what)
			}
			r.values[who] = f.value
			fmt.Fprintf(os.Stderr, "%s: %s\n", who, f)
		}
	}
	if err := b.each(only, note("convene")); err != nil {
		return err
	}
	ours := b.server
	for _, p := range peers {
		s, err := p.start(b)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: NOT MEASURED: %s: %v\n", p.name, err)
			continue
		}
		b.server, b.peer = s, p.name
		err = b.each(only, note(p.name))
		s.stop()
		b.server, b.peer = ours, ""
		if err != nil {
			return err
		}
		names = append(names, p.name)
	}
	fmt.Printf("| what | unit | %s |\n|---|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, what := range order {
		r := rows[what]
		line := fmt.Sprintf("| %s | %s |", what, r.unit)
		for _, who := range names {
			v, ok := r.values[who]
			switch {
			case !ok:
				line += " – |"
			case who == "convene":
				line += " " + number(v) + " |"
			default:
				times := v / r.values["convene"]
				if r.unit == "/s" {
					times = r.values["convene"] / v
				}
				line += fmt.Sprintf(" %s (%s×) |", number(v), number(times))
			}
		}
		fmt.Println(line)
	}
	return nil
}

// startRadicale runs Radicale as Debian has it, with files below a directory of
// the run and without passwords: they would be what is measured.
func startRadicale(b *bench) (*service, error) {
	binary, err := exec.LookPath("radicale")
	if err != nil {
		return nil, fmt.Errorf("it is not installed (apt-get install radicale): %w", err)
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(b.dir, "radicale")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	config := filepath.Join(data, "config")
	text := fmt.Sprintf("[server]\nhosts = %s\nmax_connections = 100\n[auth]\ntype = none\n[rights]\ntype = authenticated\n[storage]\nfilesystem_folder = %s\n[logging]\nlevel = error\n", addr, filepath.Join(data, "collections"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s := &service{url: "http://" + addr, data: data, homes: "/", login: plainLogin, have: map[string]bool{}}
	s.cmd = exec.CommandContext(b.ctx, binary, "--config", config)
	s.cmd.Stderr = os.Stderr
	_, err = s.begin("/.web/")
	return s, err
}
