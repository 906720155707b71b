fn main() {
    println!("hello, rust");
}
