import NIOCore

/// One client: requests in, answers out, one at a time and in order.
///
/// At most one read is taken ahead of an answer.
final class HTTPConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Between two requests.
        case idle
        /// A request has begun to come.
        case readingHead
        case readingBody
        /// A request has come wholly and waits for its answer.
        case answering(AnswerForm)
        /// The last answer is out; what the client still sends is dropped until it closes.
        case lingering
        case closed
    }

    /// What a request's head says about its answer.
    private struct AnswerForm {
        let keepsAlive: Bool
        let hasBody: Bool
    }

    private let front: IngestFront
    /// True for a client beyond the limit of connections, which is told so and left.
    private let isOverflow: Bool
    private var reader: RequestReader
    private var context: ChannelHandlerContext?
    private var phase = Phase.idle
    /// What has come and was not yet used.
    private var buffer = ByteBuffer()
    private var isProcessing = false
    private var isReadHeld = false
    private var inputHasEnded = false
    /// Bytes of memory that a body still on its way may take.
    private var reservation: Int?
    /// The sweep at which the present phase has taken too long; nil while the broker is asked.
    private var deadline: UInt64?

    init(front: IngestFront, isOverflow: Bool) {
        self.front = front
        self.isOverflow = isOverflow
        reader = RequestReader(limits: front.requestLimits)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        front.add(self)
        enter(.idle)
        if isOverflow { writeLast(HTTPAnswer.tooManyConnections) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        returnReservation()
        self.context = nil
        buffer = ByteBuffer()
        front.remove(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A connection that failed cannot be told anything; the client knows.
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        inputHasEnded = true
        if case .answering = phase { return }
        context.close(promise: nil)
    }

    /// Reads are asked for by the channel; while an answer is due and bytes wait already, that is enough.
    func read(context: ChannelHandlerContext) {
        if case .answering = phase, buffer.readableBytes > 0 {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        if case .lingering = phase { return }
        if buffer.readableBytes == 0 { buffer = incoming } else { buffer.writeBuffer(&incoming) }
        process()
    }

    /// Looks for the next request in what has come.
    private func process() {
        // An answer that is given at once comes back here, inside the loop below.
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        while isBetweenAnswers, takeStep() {}
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
    }

    private var isBetweenAnswers: Bool {
        switch phase {
        case .idle, .readingHead, .readingBody: true
        case .answering, .lingering, .closed: false
        }
    }

    /// True where there may be more to do.
    private func takeStep() -> Bool {
        var decided: (action: RequestAction, form: AnswerForm, length: Int)?
        do throws(RequestFault) {
            let step = try readStep(&decided)
            switch step {
            case .empty:
                return false
            case .needsHead:
                if case .idle = phase { enter(.readingHead) }
                return false
            case .needsBody(let bytesMax, let asksToContinue):
                expectBody(bytesMax: bytesMax, asksToContinue: asksToContinue)
                return false
            case .complete:
                break
            }
        } catch {
            writeLast(HTTPAnswer(error))
            return false
        }
        guard let decided else { return false }
        buffer.moveReaderIndex(forwardBy: decided.length)
        returnReservation()
        enter(.answering(decided.form))
        front.perform(decided.action, for: self)
        return true
    }

    private func expectBody(bytesMax: Int, asksToContinue: Bool) {
        if case .readingBody = phase { return }
        guard reservation != nil || front.reserveBody(bytes: bytesMax) else {
            return writeLast(HTTPAnswer.refused)
        }
        reservation = bytesMax
        enter(.readingBody)
        if asksToContinue { write("HTTP/1.1 100 Continue\r\n\r\n") }
    }

    private func returnReservation() {
        guard let bytes = reservation else { return }
        reservation = nil
        front.returnBody(bytes: bytes)
    }

    private func readStep(
        _ decided: inout (action: RequestAction, form: AnswerForm, length: Int)?
    ) throws(RequestFault) -> RequestReader.Step {
        let outcome = buffer.withUnsafeReadableBytes { bytes -> Result<RequestReader.Step, RequestFault> in
            do throws(RequestFault) {
                let step = try reader.advance(over: bytes)
                if case .complete(let request) = step {
                    let head = request.head
                    let form = AnswerForm(keepsAlive: head.keepsAlive, hasBody: head.method != .head)
                    decided = (front.decide(request, in: bytes), form, request.length)
                }
                return .success(step)
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private func enter(_ next: Phase) {
        phase = next
        deadline = front.deadline(afterMilliseconds: timeout(of: next))
    }

    private func timeout(of phase: Phase) -> UInt64? {
        switch phase {
        case .idle: front.timeouts.idle
        case .readingHead: front.timeouts.head
        case .readingBody: front.timeouts.body
        case .lingering: front.timeouts.linger
        case .answering, .closed: nil
        }
    }
}

extension HTTPConnection {
    /// Gives the answer that is due.
    func answer(_ answer: HTTPAnswer) {
        guard case .answering(let form) = phase else { return }
        if closesAfter(form) {
            writeLast(answer, withoutBody: !form.hasBody)
        } else {
            write(answer.rendered(closes: false, withoutBody: !form.hasBody))
            goOn()
        }
    }

    /// Gives the answer to a post that was accepted.
    func answer(_ created: CreatedAnswer) {
        guard case .answering(let form) = phase, let context else { return }
        var created = created
        created.closes = closesAfter(form)
        var output = context.channel.allocator.buffer(capacity: CreatedAnswer.bytesMax)
        created.write(to: &output)
        if created.closes {
            writeLast(output)
        } else {
            context.writeAndFlush(wrapOutboundOut(output), promise: nil)
            goOn()
        }
    }

    private func closesAfter(_ form: AnswerForm) -> Bool {
        !form.keepsAlive || inputHasEnded || front.isDraining
    }

    private func goOn() {
        enter(.idle)
        if isReadHeld {
            isReadHeld = false
            context?.read()
        }
        process()
    }

    private func write(_ text: StaticString) {
        guard let context else { return }
        var output = context.channel.allocator.buffer(capacity: text.utf8CodeUnitCount)
        output.writeStaticString(text)
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
    }

    private func write(_ bytes: [UInt8]) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    private func writeLast(_ answer: HTTPAnswer, withoutBody: Bool = false) {
        guard let context else { return }
        let bytes = answer.rendered(closes: true, withoutBody: withoutBody)
        writeLast(context.channel.allocator.buffer(bytes: bytes))
    }

    /// Writes, says that nothing more will come, and waits for the client to close.
    ///
    /// Closing with unread bytes would make the kernel reset the connection, and the answer could be lost.
    private func writeLast(_ output: ByteBuffer) {
        guard let context else { return }
        enter(.lingering)
        returnReservation()
        buffer = ByteBuffer()
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
        let channel = context.channel
        let endsWhole = inputHasEnded
        context.writeAndFlush(wrapOutboundOut(output)).whenComplete { _ in
            // Whether it could be written or not, nothing more is to be said.
            channel.close(mode: endsWhole ? .all : .output, promise: nil)
        }
    }

    /// Called at each sweep.
    func closeIfOverdue(at sweep: UInt64) {
        guard let deadline, sweep >= deadline, let context else { return }
        switch phase {
        case .readingHead, .readingBody:
            writeLast(HTTPAnswer(.requestTimeout, detail: "Request Timeout"))
        case .idle, .lingering:
            context.close(promise: nil)
        case .answering, .closed:
            break
        }
    }

    /// No further request is wanted: the present one is finished first.
    func drain() {
        guard case .idle = phase else { return }
        context?.close(promise: nil)
    }

    func closeNow() {
        context?.close(promise: nil)
    }
}
