using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training;

/// <summary>
/// Writes a safetensors file while the tensors come: the data starts after a reserved header, which is written last and filled up with
/// spaces, as the format allows. So a tensor's place does not depend on what the header says, and equal tensors of two checkpoints
/// stand at equal places.
/// </summary>
internal sealed class SafetensorsWriter : IDisposable
{
    private const int PageBytes = 4096;

    private readonly TensorFile _file;
    private readonly List<TensorEntry> _tensors = [];
    private long _length;

    public SafetensorsWriter(TensorFile file)
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("checkpoints are written in little-endian order; this processor has another one.");
        }

        _file = file;
    }

    public void Add(string name, TensorKind kind, long[] shape, ReadOnlySpan<byte> bytes)
    {
        _file.Append(bytes);
        _tensors.Add(new TensorEntry(name, kind, shape, _length, bytes.Length));
        _length += bytes.Length;
    }

    public void Complete()
    {
        byte[] header = SafetensorsHeader.Format(_tensors, minimum: TensorFile.ReservedBytes);
        if (header.Length > TensorFile.ReservedBytes)
        {
            header = SafetensorsHeader.Format(_tensors, minimum: (header.Length + PageBytes - 1) / PageBytes * PageBytes);
        }

        _file.Complete(header);
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>Reads the header of a safetensors file.</summary>
internal static class Safetensors
{
    /// <summary>The tensors by name, and where the data starts.</summary>
    /// <exception cref="InvalidDataException">It is not such a file, or a part of it is missing.</exception>
    public static (SortedDictionary<string, TensorEntry> Tensors, long DataStart) ReadHeader(StateContent file)
    {
        long fileLength = file.Length;
        try
        {
            Span<byte> prefix = stackalloc byte[(int)Math.Min(fileLength, SafetensorsHeader.PrefixBytes)];
            file.Read(prefix, 0);
            byte[] header = new byte[SafetensorsHeader.LengthOf(prefix, fileLength)];
            file.Read(header, prefix.Length);
            long dataStart = prefix.Length + header.Length;
            SafetensorsHeader read = SafetensorsHeader.Parse(header, fileLength - dataStart);
            return (new(read.Tensors.ToDictionary(tensor => tensor.Name), StringComparer.Ordinal), dataStart);
        }
        catch (SafetensorsException problem)
        {
            throw new InvalidDataException($"{file.Name}: {problem.Message}", problem);
        }
    }
}
