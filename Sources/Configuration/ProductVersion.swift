/// The version of this build, as `--version` prints it.
package enum ProductVersion {
    package static let text = "0.1.0"
}
