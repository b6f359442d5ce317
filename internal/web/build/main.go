// Command build bundles the web application: ui/src becomes the files of
// internal/web/dist, named by their content, with a manifest that says which
// is which. It needs ui/node_modules (cd ui && npm ci --ignore-scripts) and no
// Node to run. The same source gives the same octets, so a check that
// generating leaves a clean tree is a check that dist is up to date.
//
//	go generate ./internal/web
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	ui := flag.String("ui", "../../ui", "folder with package.json and src")
	dist := flag.String("out", "dist", "folder to write; what is in it is replaced")
	flag.Parse()
	for _, step := range []func() error{func() error { return build(*ui, *dist) }, func() error { return texts(*ui) }} {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, "build:", err)
			os.Exit(1)
		}
	}
}

// entries are the files the HTML pages name; the keys of the manifest.
var entries = []string{"main.tsx", "zone.ts", "style.css", "icon.svg"}

// targets are browsers of the last few years: the oldest that has <dialog>,
// color-mix() and CSS nesting.
var targets = []api.Engine{
	{Name: api.EngineChrome, Version: "120"},
	{Name: api.EngineFirefox, Version: "121"},
	{Name: api.EngineSafari, Version: "17.2"},
}

func build(ui, dist string) error {
	ui, err := filepath.Abs(ui)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(ui, "node_modules", "preact")); err != nil {
		return fmt.Errorf("the packages of the front end are not there; run: cd %s && npm ci --ignore-scripts", ui)
	}
	options := api.BuildOptions{
		AbsWorkingDir:     ui,
		Outdir:            "out",
		Bundle:            true,
		Format:            api.FormatESModule,
		Engines:           targets,
		JSX:               api.JSXAutomatic,
		JSXImportSource:   "preact",
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone, // the texts themselves are in LICENSES.txt
		EntryNames:        "[name]-[hash]",
		Loader:            map[string]api.Loader{".svg": api.LoaderCopy},
		Metafile:          true,
		LogLevel:          api.LogLevelWarning,
	}
	for _, e := range entries {
		options.EntryPoints = append(options.EntryPoints, "src/"+e)
	}
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return fmt.Errorf("%d errors in the source", len(result.Errors))
	}
	var meta struct {
		Inputs  map[string]struct{}
		Outputs map[string]struct{ EntryPoint string }
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return fmt.Errorf("metafile: %w", err)
	}
	manifest := map[string]string{}
	for out, o := range meta.Outputs {
		if o.EntryPoint != "" {
			manifest[strings.TrimPrefix(o.EntryPoint, "src/")] = filepath.Base(out)
		}
	}
	for _, e := range entries {
		if manifest[e] == "" {
			return fmt.Errorf("%s gave no output", e)
		}
	}
	licences, err := licences(ui, meta.Inputs)
	if err != nil {
		return err
	}

	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	for _, f := range result.OutputFiles {
		if err := os.WriteFile(filepath.Join(dist, filepath.Base(f.Path)), f.Contents, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dist, "LICENSES.txt"), licences, 0o644); err != nil {
		return err
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, "manifest.json"), append(text, '\n'), 0o644)
}

// licences is the licence text of every package that has a file in the bundle.
func licences(ui string, inputs map[string]struct{}) ([]byte, error) {
	packages := map[string]bool{}
	for in := range inputs {
		if _, after, ok := strings.Cut(in, "node_modules/"); ok {
			parts := strings.Split(after, "/")
			name := parts[0]
			if strings.HasPrefix(name, "@") {
				name += "/" + parts[1]
			}
			packages[name] = true
		}
	}
	names := make([]string, 0, len(packages))
	for name := range packages {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("The web application contains the following packages under their own licences.\n")
	for _, name := range names {
		dir := filepath.Join(ui, "node_modules", filepath.FromSlash(name))
		var p struct{ Version, License string }
		text, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, fmt.Errorf("%s: package.json: %w", name, err)
		}
		licence, err := os.ReadFile(filepath.Join(dir, "LICENSE"))
		if err != nil {
			return nil, fmt.Errorf("%s has no licence text: %w", name, err)
		}
		fmt.Fprintf(&b, "\n%s %s (%s)\n\n%s\n", name, p.Version, p.License, strings.TrimSpace(string(licence)))
	}
	return []byte(b.String()), nil
}

// texts lists what people read: the first argument of t and mark, both forms of
// count. It is what a translator gets; see ui/src/text.ts.
func texts(ui string) error {
	found := map[string]string{} // by text: "" or the form for several
	files, err := filepath.Glob(filepath.Join(ui, "src", "*.ts*"))
	if err != nil {
		return err
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range called.FindAllStringSubmatch(string(source), -1) {
			var one, many string
			if err := json.Unmarshal([]byte(m[2]), &one); err != nil {
				return fmt.Errorf("%s: the text %s: %w", name, m[2], err)
			}
			if m[1] == "count" && m[3] != "" {
				if err := json.Unmarshal([]byte(m[3]), &many); err != nil {
					return fmt.Errorf("%s: the text %s: %w", name, m[3], err)
				}
			}
			if found[one] == "" {
				found[one] = many
			}
		}
	}
	list := map[string]any{}
	for one, many := range found {
		list[one] = one
		if many != "" {
			list[one] = []string{one, many}
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(list); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(ui, "texts.json"), out.Bytes(), 0o644)
}

// called finds t("…"), mark("…"), say("…") and count(n, "…", "…").
var called = regexp.MustCompile(`\b(t|mark|say|count)\((?:[^"()]*(?:\([^()]*\)[^"()]*)*, )?("(?:[^"\\]|\\.)*")(?:, ("(?:[^"\\]|\\.)*"))?`)
