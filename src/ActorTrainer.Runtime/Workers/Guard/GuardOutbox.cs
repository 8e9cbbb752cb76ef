using System.Collections.Concurrent;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>Writes messages to the node on a thread of its own: a node that is stopped and does not read must not stop the guard.</summary>
internal sealed class GuardOutbox : IDisposable
{
    private readonly BlockingCollection<GuardMessage> _messages = [];
    private readonly Stream _output;

    public GuardOutbox(Stream output)
    {
        _output = output;
        new Thread(Run, maxStackSize: 256 << 10) { IsBackground = true, Name = "outbox" }.Start();
    }

    public void Send(GuardMessage message)
    {
        try
        {
            _messages.Add(message);
        }
        catch (InvalidOperationException)
        {
            // The guard ends; nobody listens any more.
        }
    }

    public void Dispose() => _messages.CompleteAdding();

    private void Run()
    {
        try
        {
            foreach (GuardMessage message in _messages.GetConsumingEnumerable())
            {
                _output.Write(message.ToLine());
                _output.Flush();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The node is gone; the closed input says so too, and what follows is done there.
        }
    }
}
