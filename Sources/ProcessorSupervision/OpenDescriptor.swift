internal import LinuxSystem

/// A descriptor in a box, closed with the last reference to it: for places that may hold one or none.
// A class, because the compiler of Swift 6.3 crashes on optionals of noncopyable values inside of classes.
final class OpenDescriptor {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    var rawValue: CInt { descriptor.rawValue }
}
