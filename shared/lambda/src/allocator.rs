//! What hands out memory in every function: the standard library's takes a fifth of the time of an import (`docs/decisions/0031-allocator-and-runtime.md`).

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
