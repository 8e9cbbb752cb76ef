using System.Runtime.InteropServices;
using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Training;

/// <content>Tensors of every kind.</content>
public sealed partial class CheckpointReader
{
    /// <summary>Lengths of a tensor's dimensions, outermost first; empty: a scalar.</summary>
    /// <exception cref="CheckpointEntryException">There is no such tensor.</exception>
    public IReadOnlyList<long> ShapeOf(string name) => Find(name).Shape;

    /// <summary>What a tensor holds.</summary>
    /// <exception cref="CheckpointEntryException">There is no such tensor.</exception>
    public TensorKind KindOf(string name) => Find(name).Kind;

    /// <summary>
    /// Reads a tensor of any kind into its bytes: also those that C# has no type for, such as <see cref="TensorKind.BF16"/>.
    /// </summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="kind">What it has to hold.</param>
    /// <param name="bytes">Takes the values, row by row, each little endian.</param>
    /// <param name="shape">The shape that is expected, outermost first; none given: any of this length.</param>
    /// <exception cref="CheckpointEntryException">There is no such tensor, or its kind, length or shape is another one.</exception>
    public void ReadTensor(string name, TensorKind kind, Span<byte> bytes, params ReadOnlySpan<long> shape) =>
        Read(name, kind, bytes, shape);

    /// <summary>Reads a tensor of 32-bit floats into a span of its length.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="values">Takes the values, row by row.</param>
    /// <param name="shape">The shape that is expected, outermost first; none given: any of this length.</param>
    /// <exception cref="CheckpointEntryException">There is no such tensor, or its kind, length or shape is another one.</exception>
    public void ReadTensor(string name, Span<float> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.F32, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 64-bit floats into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<double> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.F64, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 16-bit floats into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<Half> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.F16, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 64-bit integers into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<long> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.I64, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 32-bit integers into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<int> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.I32, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 16-bit integers into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<short> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.I16, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 8-bit integers into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<sbyte> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.I8, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 64-bit integers without a sign into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<ulong> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.U64, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 32-bit integers without a sign into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<uint> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.U32, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of 16-bit integers without a sign into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<ushort> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.U16, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of bytes into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<byte> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorKind.U8, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Reads a tensor of truth values into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<bool> values, params ReadOnlySpan<long> shape)
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(values);
        Read(name, TensorKind.BOOL, bytes, shape);
        int odd = bytes.IndexOfAnyExceptInRange((byte)0, (byte)1);
        if (odd >= 0)
        {
            byte value = bytes[odd];

            // A truth value of another byte is neither true nor false to compiled code.
            bytes.Clear();
            throw new CheckpointEntryException(name, $"holds the byte {value} as its value {odd}, which is neither 0 nor 1.");
        }
    }

    private TensorEntry Find(string name)
    {
        if (!_tensors.TryGetValue(name, out TensorEntry? tensor))
        {
            CheckpointEntryNames.Validate(name);
            ThrowMissing(name, "tensor");
        }

        return tensor;
    }

    private void Read(string name, TensorKind kind, Span<byte> target, ReadOnlySpan<long> shape)
    {
        TensorEntry tensor = Find(name);
        if (tensor.Kind != kind)
        {
            throw new CheckpointEntryException(name, $"holds {tensor.Kind} numbers, but {kind} is read.");
        }

        if (tensor.Length != target.Length)
        {
            int size = TensorKinds.SizeOf(kind);
            throw new CheckpointEntryException(
                name,
                $"holds {tensor.Length / size} values {TensorEntry.Format(tensor.Shape)}, "
                    + $"but {target.Length / size} are read: was the model's size changed?"
            );
        }

        if (shape.Length > 0 && !shape.SequenceEqual([.. tensor.Shape]))
        {
            throw new CheckpointEntryException(
                name,
                $"has the shape {TensorEntry.Format(tensor.Shape)}, but {TensorEntry.Format(shape.ToArray())} is read: "
                    + "was the model's shape changed?"
            );
        }

        _tensorFile!.Read(target, _dataStart + tensor.Offset);
    }
}
