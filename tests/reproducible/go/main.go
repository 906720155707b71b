package main

func main() { println("hello, go") }
