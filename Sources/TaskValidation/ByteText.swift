extension Array where Element == UInt8 {
    /// `withUnsafeBytes` that keeps the type of what its closure throws.
    func withText<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome = withUnsafeBytes { text -> Swift.Result<Result, Failure> in
            do throws(Failure) { return .success(try body(text)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }
}
