// Command foreign checks a published tree with Go's own packages: golang.org/x/mod/sumdb/note reads and verifies the
// checkpoint, golang.org/x/mod/sumdb/tlog computes and proves. It reads the folder as a client reads the static files.
//
//	foreign <folder> <verifier key> [<smaller checkpoint> ...]
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

// checkpoint opens a signed checkpoint.
func checkpoint(path, key string) tlog.Tree {
	verifier := must(note.NewVerifier(key))
	opened := must(note.Open(must(os.ReadFile(path)), note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 3 || lines[0] != verifier.Name() {
		fail("%s is not a checkpoint of %s", path, verifier.Name())
	}
	size := must(strconv.ParseInt(lines[1], 10, 64))
	var root tlog.Hash
	copy(root[:], must(base64.StdEncoding.DecodeString(lines[2])))
	return tlog.Tree{N: size, Hash: root}
}

// files reads tiles by the paths of C2SP tlog-tiles, which leave the height out.
type files string

func (f files) Height() int { return 8 }

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(f), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

// entries reads every entry from the bundles.
func entries(folder string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := min(size-n*256, 256)
		tile := tlog.Tile{H: 8, L: 0, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		rest := must(os.ReadFile(filepath.Join(folder, path)))
		for i := int64(0); i < width; i++ {
			length := int(binary.BigEndian.Uint16(rest))
			all = append(all, rest[2:2+length])
			rest = rest[2+length:]
		}
		if len(rest) != 0 {
			fail("%s is longer than its entries", path)
		}
	}
	return all
}

// stored is every hash of the tree, computed from the entries alone.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		hashes = append(hashes, s[index])
	}
	return hashes, nil
}

func main() {
	folder, key := os.Args[1], os.Args[2]
	tree := checkpoint(filepath.Join(folder, "checkpoint"), key)
	all := entries(folder, tree.N)
	var hashes stored
	for n, entry := range all {
		hashes = append(hashes, must(tlog.StoredHashes(int64(n), entry, hashes))...)
	}
	if root := must(tlog.TreeHash(tree.N, hashes)); root != tree.Hash {
		fail("the entries have the root %v, the checkpoint says %v", root, tree.Hash)
	}
	reader := tlog.TileHashReader(tree, files(folder))
	for n, entry := range all {
		proof := must(tlog.ProveRecord(tree.N, int64(n), reader))
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(entry)); err != nil {
			fail("entry %d: %v", n, err)
		}
	}
	for _, path := range os.Args[3:] {
		smaller := checkpoint(path, key)
		proof := must(tlog.ProveTree(tree.N, smaller.N, reader))
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, smaller.N, smaller.Hash); err != nil {
			fail("%s: %v", path, err)
		}
	}
	for _, tile := range tlog.NewTiles(8, 0, tree.N) {
		want := must(tlog.ReadTileData(tile, hashes))
		got := must(files(folder).ReadTiles([]tlog.Tile{tile}))
		if string(want) != string(got[0]) {
			fail("%s is not the tile that the entries make", tile.Path())
		}
	}
	fmt.Printf("%d entries, %d smaller checkpoints\n", tree.N, len(os.Args)-3)
}
