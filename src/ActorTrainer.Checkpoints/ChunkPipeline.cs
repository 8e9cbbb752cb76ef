using System.IO.Hashing;
using System.Runtime.ExceptionServices;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Cuts files into chunks and brings the new ones into a pack: a few threads read, hash and encode; whoever has the next chunk in order
/// writes, and goes back to reading when there is nothing more to write. So the pack is the same whatever the timing, and the disk is busy
/// while hashes are computed.
/// </summary>
internal sealed class ChunkPipeline : IDisposable
{
    /// <summary>How many chunks are on their way at once: some are read and hashed while others wait to be written in order.</summary>
    public static readonly int MostJobs = FolderStore.Parallelism * 3;

    private readonly IReadOnlyList<StateFile> _files;
    private readonly int _chunkSize;
    private readonly CheckpointCompression _compression;
    private readonly CompressionPace _pace;
    private readonly KnownChunks _known;
    private readonly string _packFile;
    private readonly PackWriter _pack;
    private readonly ChunkJob[] _jobs;
    private readonly Stack<ChunkJob> _free;
    private readonly Dictionary<long, ChunkJob> _done = [];
    private readonly OpenFile[] _open;
    private readonly Lock _state = new();
    private readonly SemaphoreSlim _freed;
    private Exception? _failure;
    private bool _writing;
    private int _file;
    private int _chunk;
    private long _taken;
    private long _written;

    public ChunkPipeline(
        IReadOnlyList<StateFile> files,
        BufferPool pool,
        CheckpointStoreModel model,
        CompressionPace pace,
        KnownChunks known,
        FormerState former,
        string packFile,
        PackWriter pack
    )
    {
        (_files, _chunkSize, _compression, _pace) = (files, model.ChunkSizeBytes, model.Compression, pace);
        (_known, _packFile, _pack) = (known, packFile, pack);
        _open = [.. files.Select(file => new OpenFile(file, former.Find(file.Path, _chunkSize), _chunkSize))];
        long chunks = _open.Sum(file => (long)file.Keys.Length);
        int jobs = (int)Math.Min(MostJobs, Math.Max(1, chunks));
        _jobs = [.. Enumerable.Range(0, jobs).Select(_ => new ChunkJob(pool, _chunkSize))];
        _free = new Stack<ChunkJob>(_jobs);
        _freed = new SemaphoreSlim(jobs);
    }

    /// <summary>The chunks' names of every file, in the order of the files.</summary>
    public IReadOnlyList<string[]> Keys => [.. _open.Select(file => file.Keys)];

    /// <summary>What it has read.</summary>
    public FormerState State =>
        new(_open.ToDictionary(file => file.Path, file => new FormerFile(file.Sums, file.Keys, file.Length)), _chunkSize);

    /// <summary>Does it all, on these threads. Throws the first error itself, not a bundle; everything has ended then.</summary>
    public void Run(TaskScheduler threads, CancellationToken cancellationToken)
    {
        int atOnce = Math.Min(FolderStore.Parallelism, _jobs.Length);
        FolderSave.Concurrently(atOnce, _ => Work(cancellationToken), atOnce, threads, cancellationToken);
        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    public void Dispose()
    {
        foreach (OpenFile file in _open)
        {
            file.Dispose();
        }

        foreach (ChunkJob job in _jobs)
        {
            job.Dispose();
        }

        _freed.Dispose();
    }

    private void Work(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                // A thread that waits here is let go by the one that writes, which never waits.
                _freed.Wait(cancellationToken);
                if (Take() is not { } job)
                {
                    _ = _freed.Release();
                    return;
                }

                Fill(job);
                Write(job);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        catch (Exception e)
        {
            lock (_state)
            {
                _failure ??= e;
            }

            _ = _freed.Release();
        }
    }

    /// <summary>The next piece of work in the order of the pack; null: there is none, or something failed.</summary>
    private ChunkJob? Take()
    {
        lock (_state)
        {
            while (_failure is null && _file < _files.Count)
            {
                OpenFile file = _open[_file];
                if (_chunk < Math.Max(1, file.Keys.Length))
                {
                    ChunkJob job = _free.Pop();
                    (job.Sequence, job.File, job.Index) = (_taken++, _file, _chunk++);
                    return job;
                }

                _file++;
                _chunk = 0;
            }

            return null;
        }
    }

    private void Fill(ChunkJob job)
    {
        OpenFile file = _open[job.File];
        job.IsEncoded = false;
        if (file.Keys.Length > 0)
        {
            long at = (long)job.Index * _chunkSize;
            job.Length = (int)Math.Min(_chunkSize, file.Length - at);
            long began = _pace.Now;
            file.Read(job.RawBytes, at);
            UInt128 sum = XxHash128.HashToUInt128(job.RawBytes);
            _files[job.File].Saved(job.Index, _chunkSize, sum);
            if (file.Former?.KeyAt(job.Index, sum, job.Length, _chunkSize) is { } key)
            {
                job.Recognise(key);
            }
            else
            {
                job.Hash();
                _pace.Read(job.Length, began);
            }

            (file.Sums[job.Index], file.Keys[job.Index]) = (sum, job.Key);
            if (!_known.Contains(job.Key))
            {
                job.Encode(_compression, _pace, FormerOf(job, file));
            }
        }

        file.OneDone();
    }

    /// <summary>What stood at a chunk's place, if it is stored, not itself the last of many differences, and still in memory.</summary>
    private FormerChunk? FormerOf(ChunkJob job, OpenFile file)
    {
        StateFile source = _files[job.File];
        return
            file.Former?.At(job.Index, job.Length, _chunkSize) is { } former
            && _known.Find(former.Key) is { Bases: < ChunkPlace.MostBases } place
            ? new FormerChunk(
                new ChunkBase(former.Key, place),
                former.Sum,
                (target, offset) => source.TryReadFormer(target, ((long)job.Index * _chunkSize) + offset)
            )
            : null;
    }

    /// <summary>Hands a chunk over; writes it and those behind it that are ready, unless another thread is at that.</summary>
    private void Write(ChunkJob job)
    {
        lock (_state)
        {
            _done.Add(job.Sequence, job);
            if (_writing)
            {
                return;
            }

            _writing = true;
        }

        while (true)
        {
            ChunkJob? next;
            lock (_state)
            {
                if (_failure is not null || !_done.Remove(_written, out next))
                {
                    _writing = false;
                    return;
                }
            }

            Append(next);
            lock (_state)
            {
                _written++;
                _free.Push(next);
            }

            _ = _freed.Release();
        }
    }

    private void Append(ChunkJob job)
    {
        // Encoded, and yet known by now: the same bytes stand in this state twice.
        if (job.IsEncoded && !_known.Contains(job.Key))
        {
            _known.Add(job.Key, new ChunkPlace(_packFile, _pack.Append(job.Record), job.StoredLength, job.Codec, job.Base));
        }
    }

    /// <summary>A file from its first chunk to its last: opened once, looked at again when all of it was read.</summary>
    private sealed class OpenFile(StateFile file, FormerFile? former, int chunkSize) : IDisposable
    {
        private readonly Lock _opening = new();
        private IStateReader? _reader;
        private int _left = -1;

        public string Path => file.Path;

        public long Length { get; } = file.Length;

        /// <summary>The same file as it was saved before; null: it was not.</summary>
        public FormerFile? Former => former;

        public UInt128[] Sums { get; } = new UInt128[(file.Length + chunkSize - 1) / chunkSize];

        public string[] Keys { get; } = new string[(file.Length + chunkSize - 1) / chunkSize];

        public void Read(Span<byte> target, long offset)
        {
            lock (_opening)
            {
                _reader ??= file.Open();
            }

            _reader.Read(target, offset);
        }

        public void OneDone()
        {
            lock (_opening)
            {
                _left = (_left < 0 ? Math.Max(1, Keys.Length) : _left) - 1;
                if (_left > 0)
                {
                    return;
                }

                Dispose();
            }

            file.RequireUnchanged();
        }

        public void Dispose() => _reader?.Dispose();
    }
}
