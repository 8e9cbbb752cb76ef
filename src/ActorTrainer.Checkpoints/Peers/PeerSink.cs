using System.Buffers.Binary;
using System.Security.Cryptography;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>A file on its way to several nodes at once. One that fails does not hold up the others.</summary>
internal sealed class PeerSink : IPackSink
{
    private readonly List<PeerUpload> _uploads = [];
    private readonly HashSet<PeerUpload> _failed = [];
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Action<NodeAddress, CheckpointStoreException> _report;
    private readonly byte[][] _buffers =
    [
        [],
        [],
    ];
    private Task _writing = Task.CompletedTask;
    private int _buffer;
    private long _length;
    private CheckpointStoreException? _first;

    /// <param name="caller">Asks the nodes.</param>
    /// <param name="nodes">Those that get it.</param>
    /// <param name="task">The task.</param>
    /// <param name="file">Its name.</param>
    /// <param name="atMost">The most bytes that it can have.</param>
    /// <param name="report">Told of a node that does not take it; an exception is thrown once none takes it.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public PeerSink(
        PeerCaller caller,
        IEnumerable<NodeAddress> nodes,
        TaskId task,
        string file,
        long atMost,
        Action<NodeAddress, CheckpointStoreException> report,
        CancellationToken cancellationToken
    )
    {
        _report = report;
        foreach (NodeAddress node in nodes)
        {
            _uploads.Add(new PeerUpload(caller, node, PeerProtocol.PutPathOf(task, file, atMost), cancellationToken));
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        // Two buffers in turn: one is filled and hashed while the other one is on its way.
        if (_buffers[_buffer].Length < bytes.Length)
        {
            _buffers[_buffer] = GC.AllocateUninitializedArray<byte>(bytes.Length);
        }

        byte[] buffer = _buffers[_buffer];
        bytes.CopyTo(buffer);
        _sha256.AppendData(bytes);
        _length += bytes.Length;
        Send(buffer.AsMemory(0, bytes.Length));
        _buffer ^= 1;
    }

    public void Finish(long length)
    {
        if (length != _length)
        {
            throw new IOException($"it has {_length} bytes after writing {length}");
        }

        byte[] trailer = new byte[PeerProtocol.TrailerSize];
        BinaryPrimitives.WriteInt64LittleEndian(trailer, _length);
        _sha256.GetHashAndReset(trailer.AsSpan(sizeof(long)));
        Send(trailer);
        Wait();
        _writing = ForEachAsync(upload => upload.FinishAsync());
        Wait();
    }

    public void Dispose()
    {
        _uploads.ForEach(upload => upload.Dispose());
        _sha256.Dispose();
    }

    private void Send(ReadOnlyMemory<byte> bytes)
    {
        Wait();
        _writing = ForEachAsync(upload => upload.WriteAsync(bytes));
    }

    private void Wait()
    {
        OwnThreads.Wait(async () =>
        {
            await _writing;
            return true;
        });
        if (_first is not null && _failed.Count == _uploads.Count)
        {
            throw _first;
        }
    }

    private Task ForEachAsync(Func<PeerUpload, Task> work) =>
        Task.WhenAll(_uploads.Where(upload => !_failed.Contains(upload)).ToArray().Select(upload => OrFailAsync(upload, work)));

    private async Task OrFailAsync(PeerUpload upload, Func<PeerUpload, Task> work)
    {
        try
        {
            await work(upload);
        }
        catch (CheckpointStoreException e)
        {
            lock (_failed)
            {
                _failed.Add(upload);
                _first ??= e;
            }

            _report(upload.Node, e);
        }
    }
}
