fn main() {
    millrace_frontend::start();
}
